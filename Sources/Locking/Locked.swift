import Synchronization

#if THREAD_SANITIZER
    import Glibc
#endif

/// A value that only one thread at a time reaches.
///
/// Under the thread sanitizer, which does not understand `Synchronization.Mutex`, a `pthread_mutex_t` stands
/// in (build with `-Xswiftc -DTHREAD_SANITIZER`).
public final class Locked<Value: ~Copyable>: Sendable {
    #if THREAD_SANITIZER
        // @unchecked is true: `value` is touched only between lock and unlock.
        private final class Storage: @unchecked Sendable {
            var value: Value
            let mutex: UnsafeMutablePointer<pthread_mutex_t>

            init(_ value: consuming sending Value) {
                self.value = value
                mutex = .allocate(capacity: 1)
                pthread_mutex_init(mutex, nil)
            }

            deinit {
                pthread_mutex_destroy(mutex)
                mutex.deallocate()
            }
        }

        private let storage: Storage

        /// Guards `value`.
        public init(_ value: consuming sending Value) {
            storage = Storage(value)
        }

        /// Runs `body` alone with the value. It must be short and must not block.
        public func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            pthread_mutex_lock(storage.mutex)
            defer { pthread_mutex_unlock(storage.mutex) }
            return try body(&storage.value)
        }
    #else
        private let mutex: Mutex<Value>

        /// Guards `value`.
        public init(_ value: consuming sending Value) {
            mutex = Mutex(value)
        }

        /// Runs `body` alone with the value. It must be short and must not block.
        public func withLock<Result: ~Copyable, Failure: Error>(
            _ body: (inout sending Value) throws(Failure) -> sending Result
        ) throws(Failure) -> sending Result {
            try mutex.withLock(body)
        }
    #endif
}
