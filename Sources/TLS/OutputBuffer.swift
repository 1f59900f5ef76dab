/// Bytes to be sent, in memory that grows and is used again. Room is taken without being set to zero first,
/// since a record is sealed into it at once.
public final class OutputBuffer {
    private var memory: UnsafeMutableRawBufferPointer
    /// Bytes in it.
    public private(set) var count = 0

    init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    /// What is in it; valid until the next call.
    public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
    }

    /// Room for so many more bytes, which the caller fills at once.
    func append(_ size: Int) -> UnsafeMutableRawBufferPointer {
        if count + size > memory.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(count + size, memory.count * 2), alignment: 16)
            larger.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[..<count]))
            memory.deallocate()
            memory = larger
        }
        defer { count += size }
        return UnsafeMutableRawBufferPointer(rebasing: memory[count..<count + size])
    }

    /// Forgets all bytes. What one large answer needed is not kept for ever.
    public func clear() {
        count = 0
        guard memory.count > 1 << 20 else { return }
        memory.deallocate()
        memory = .allocate(byteCount: 1 << 16, alignment: 16)
    }
}
