import COpenSSL
import Glibc

/// What the TLS connections of one loop share, so that an idle one owns no buffer: where OpenSSL reads
/// ciphertext from, where all ciphertext is written to, and the contexts that seal and open records.
///
/// It belongs to its loop's thread.
public final class TLSBuffers {
    /// Ciphertext to be sent for the connection that is being handled. The transport empties it after each
    /// call.
    public let output = OutputBuffer(capacity: 1 << 16)
    /// What OpenSSL may read.
    fileprivate var input = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    /// Both belong to every `SSL` of this loop at once, by reference count.
    let readBIO: OpaquePointer
    let writeBIO: OpaquePointer
    let sealing: RecordCipher
    let opening: RecordCipher

    /// Empty buffers.
    public init() {
        guard let method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_get_new_index(), "fiml-gateway loop"),
            BIO_meth_set_read_ex(method, readInput) == 1, BIO_meth_set_write_ex(method, writeOutput) == 1,
            BIO_meth_set_ctrl(method, control) == 1, let readBIO = BIO_new(method),
            let writeBIO = BIO_new(method)
        else { preconditionFailure("OpenSSL is out of memory") }
        self.readBIO = readBIO
        self.writeBIO = writeBIO
        sealing = RecordCipher()
        opening = RecordCipher()
        for bio in [readBIO, writeBIO] {
            BIO_set_init(bio, 1)
            // Not retained: the BIOs live no longer than the connections of the loop that owns this.
            BIO_set_data(bio, Unmanaged.passUnretained(self).toOpaque())
        }
    }

    deinit {
        BIO_free(readBIO)
        BIO_free(writeBIO)
    }

    /// Runs `body` while OpenSSL reads from `bytes`, which is advanced by what it took.
    func reading<Result, Failure: Error>(
        _ bytes: inout UnsafeMutableRawBufferPointer, _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        input = bytes
        defer {
            bytes = input
            input = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        return try body()
    }

    fileprivate func take(_ target: UnsafeMutableRawPointer, _ count: Int) -> Int {
        let count = min(count, input.count)
        target.copyMemory(from: input.baseAddress ?? target, byteCount: count)
        input = UnsafeMutableRawBufferPointer(rebasing: input[count...])
        return count
    }
}

private func owner(_ bio: OpaquePointer?) -> TLSBuffers? {
    guard let data = BIO_get_data(bio) else { return nil }
    return Unmanaged<TLSBuffers>.fromOpaque(data).takeUnretainedValue()
}

private func readInput(
    _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: Int,
    _ taken: UnsafeMutablePointer<Int>?
) -> Int32 {
    openssl_clear_retry(bio)
    guard let owner = owner(bio), let target, let taken else { return 0 }
    taken.pointee = owner.take(target, count)
    if taken.pointee > 0 { return 1 }
    openssl_set_retry_read(bio)
    return 0
}

private func writeOutput(
    _ bio: OpaquePointer?, _ source: UnsafePointer<CChar>?, _ count: Int,
    _ written: UnsafeMutablePointer<Int>?
) -> Int32 {
    openssl_clear_retry(bio)
    guard let owner = owner(bio), let source, let written else { return 0 }
    owner.output.append(count).copyMemory(from: UnsafeRawBufferPointer(start: source, count: count))
    written.pointee = count
    return 1
}

private func control(
    _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
    // Everything written is in `output` at once, so a flush has nothing to do.
    command == BIO_CTRL_FLUSH ? 1 : 0
}
