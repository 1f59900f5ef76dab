import CLinux
import Glibc

/// A kernel thread with a name that `top -H` shows.
public struct Thread: ~Copyable, Sendable {
    private let identifier: pthread_t

    /// Starts a thread that runs `body` once; the name is cut to the kernel's 15 bytes. `stackBytes` is how
    /// large its stack is, 0 as the system would have it (8 MiB, mostly).
    public init(
        name: String, stackBytes: Int = 0, _ body: @escaping @Sendable () -> Void
    ) throws(SystemCallError) {
        final class Start: Sendable {
            let body: @Sendable () -> Void
            let name: String

            init(name: String, body: @escaping @Sendable () -> Void) {
                self.name = name
                self.body = body
            }
        }
        let start = Unmanaged.passRetained(Start(name: String(name.prefix(15)), body: body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        if stackBytes > 0 { pthread_attr_setstacksize(&attributes, stackBytes) }
        var identifier = pthread_t()
        let code = pthread_create(
            &identifier, &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                pthread_setname_np(pthread_self(), start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw SystemCallError("pthread_create", code: code)
        }
        self.identifier = identifier
    }

    /// Lets it end by itself; nobody waits for that.
    public consuming func detach() {
        pthread_detach(identifier)
    }

    /// Waits until it has ended.
    public consuming func join() {
        pthread_join(identifier, nil)
    }
}
