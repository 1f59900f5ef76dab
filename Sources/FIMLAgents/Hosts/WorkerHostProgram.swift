import Analysis
import FIMLCore
import Glibc
import LinuxSystem
import Locking

/// The program of a worker host: takes tasks from its input, gives answers on its output, and has each of its
/// workers on a thread of its own. It reads no file, opens no connection and knows no secret.
///
/// It ends as soon as its input does, or its parent. The signals that a terminal or a service manager sends
/// to all processes are ignored: the parent decides what becomes of the tasks.
public enum WorkerHostProgram {
    /// A worker holds a few hundred bars; the system's own 8 MiB of stack would count against the limit.
    private static let stackBytes = 1 << 20
    /// Tasks that wait for one worker: far more than the gateway gives it at once.
    private static let queueLimit = 4_096
    private static let heartbeatMilliseconds: UInt64 = 5_000

    /// Runs the host until its input ends. `make` gives each worker its own instance.
    public static func run(_ type: WorkerType, workers: Int, make: () -> any Worker) -> Never {
        endWithParent()
        // As it was started it has the name of `/proc/self/exe`.
        nameProcess("fiml-worker")
        ignoreSignals([SIGINT, SIGTERM, SIGHUP, SIGTTOU, SIGPIPE])
        let output = ReplyOutput()
        var queues: [WorkQueue<WorkerRequest>] = []
        do throws(SystemCallError) {
            for number in 0..<max(workers, 1) {
                let queue = try WorkQueue<WorkerRequest>(limit: queueLimit)
                let worker = make()
                queues.append(queue)
                _ = try LinuxSystem.Thread(name: "\(type.idPrefix)\(number)", stackBytes: stackBytes) {
                    while let requests = queue.takeAll() {
                        for request in requests { output.send(answer(to: request, by: worker)) }
                    }
                }
            }
        } catch {
            end("worker host \(type.rawValue): \(error)")
        }
        serve(queues, output)
    }

    private static func answer(to request: WorkerRequest, by worker: any Worker) -> WorkerReply {
        do throws(InsufficientData) {
            return .answer(task: request.task, .finding(try worker.analyze(request.figures)))
        } catch {
            return .answer(task: request.task, .insufficient(error.missing))
        }
    }

    /// Reads tasks, and says that the host lives, on the main thread.
    private static func serve(_ queues: [WorkQueue<WorkerRequest>], _ output: ReplyOutput) -> Never {
        var reader = FrameReader()
        var held = HeldFigures()
        var buffer: [UInt8] = Array(repeating: 0, count: 1 << 18)
        var nextHeartbeat: UInt64 = 0
        while true {
            let now = monotonicMilliseconds()
            if now >= nextHeartbeat {
                output.send(.heartbeat)
                nextHeartbeat = now + heartbeatMilliseconds
            }
            var input = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&input, 1, Int32(clamping: nextHeartbeat - now)) > 0 else { continue }
            let count = read(STDIN_FILENO, &buffer, buffer.count)
            if count == 0 { _exit(0) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                end("worker host: read: \(String(cString: strerror(errno)))")
            }
            reader.append(buffer[..<count])
            do throws(FrameViolation) {
                while let frame = try reader.next() {
                    accept(try WorkerRequest.parse(frame, held: &held), queues, output)
                }
            } catch {
                end("worker host: \(error)")
            }
        }
    }

    private static func accept(
        _ request: Result<WorkerRequest, RefusedTask>, _ queues: [WorkQueue<WorkerRequest>],
        _ output: ReplyOutput
    ) {
        switch request {
        case .success(let request):
            guard queues.indices.contains(request.worker) else {
                output.send(.failed(task: request.task, "there is no worker \(request.worker)"))
                return
            }
            if !queues[request.worker].add(request) {
                output.send(.failed(task: request.task, "too many tasks wait for the worker"))
            }
        case .failure(let refused): output.send(.failed(task: refused.task, refused.reason))
        }
    }

    /// Ends the process with a line for people.
    private static func end(_ line: String) -> Never {
        let bytes = Array("\(line)\n".utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
        _exit(1)
    }
}

/// The output, which one thread at a time has for a whole frame.
private final class ReplyOutput: Sendable {
    private let turn = Locked<Void>(())

    /// Writes a frame. Ends the process where nobody reads any more.
    func send(_ reply: WorkerReply) {
        guard let frame = WorkerFrame.encode(reply) ?? WorkerFrame.encode(reply.tooLong) else { return }
        // It may block while the gateway is busy; who waits for the lock meanwhile would block as well.
        turn.withLock { _ in
            var sent = 0
            while sent < frame.count {
                let count = frame.withUnsafeBytes { bytes in
                    write(STDOUT_FILENO, bytes.baseAddress?.advanced(by: sent), bytes.count - sent)
                }
                if count > 0 {
                    sent += count
                } else if errno != EINTR {
                    _exit(0)
                }
            }
        }
    }
}

extension WorkerReply {
    /// What is said instead of an answer that no frame holds.
    fileprivate var tooLong: WorkerReply {
        switch self {
        case .heartbeat: .heartbeat
        case .answer(let task, _), .failed(let task, _), .nonsense(let task, _):
            .failed(task: task, "the answer is longer than \(FrameReader.maxBytes) bytes")
        }
    }
}
