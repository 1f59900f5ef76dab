import Analysis
import FIMLCore
import Glibc

/// A worker that misbehaves in the way that the asset's symbol names; any other asset gets an answer.
struct FaultyWorker: Worker {
    let type: WorkerType

    func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        switch figures.asset.symbol {
        case "THROW": throw InsufficientData([MissingFigures(.bars, reason: "as asked")])
        case "HANG": while true { poll(nil, 0, -1) }
        case "SPIN": while true { _ = getppid() }
        case "RUBBISH": say(Array("what is this\n".utf8))
        case "ALLOCATE": allocate()
        case "TRAP": preconditionFailure("as asked")
        case "EXIT": exit(3)
        case "KILL": kill(getpid(), SIGKILL)
        default: break
        }
        var finding = Finding(
            score: 6.5, confidence: 0.5, asOf: figures.bars.last?.closesAt ?? figures.moment,
            details: [
                "symbol": .string(figures.asset.symbol),
                "bars": .integer(Int64(figures.bars.count)),
                "process": .integer(Int64(getpid())),
            ])
        // Beyond what a finding can be made with.
        if figures.asset.symbol == "NONSENSE" { finding.score = 11 }
        return finding
    }

    private func say(_ bytes: [UInt8]) {
        _ = write(STDOUT_FILENO, bytes, bytes.count)
    }

    /// Takes a MiB after the other, and writes to each page of it, until there is none.
    private func allocate() {
        var kept: [[UInt8]] = []
        while true { kept.append(Array(repeating: UInt8(truncatingIfNeeded: kept.count), count: 1 << 20)) }
    }
}
