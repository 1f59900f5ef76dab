import FIMLCore

// What each kind of row must hold, and what it becomes.

extension MarketCSV {
    /// Reads a row and adds it to `recording`. Throws what is wrong with it.
    func take(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        switch kind {
        case .bars: try takeBar(row, into: &recording)
        case .fundingRates: try takeFundingRate(row, into: &recording)
        case .depth: try takeDepth(row, into: &recording)
        case .earnings: try takeEarnings(row, into: &recording)
        case .transfers: try takeTransfer(row, into: &recording)
        case .exchangeScript: try takeScriptEntry(row, into: &recording)
        case .episodes: try takeEpisode(row, into: &recording)
        case .fundamentals: try takeFundamentals(row, into: &recording)
        case .macro: try takeObservation(row, into: &recording)
        case .news: try takeArticle(row, into: &recording)
        case .options: try takeOption(row, into: &recording)
        }
    }

    private func takeBar(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let (opensAt, isDay) = try row.time(timeColumn)
        let close = try row.price("close")
        let open = row.has("open") ? try row.price("open") : close
        let high = row.has("high") ? try row.price("high") : max(open, close)
        let low = row.has("low") ? try row.price("low") : min(open, close)
        guard low <= min(open, close) else { throw row.problem("low", "at most open and close") }
        guard high >= max(open, close) else { throw row.problem("high", "at least open and close") }
        let volume = try row.numberIfGiven("volume", 0...1e18, "a number from 0 to 1e18")
        // The recording sets the interval once it knows all bars.
        let bar = Bar(
            opensAt: opensAt, intervalSeconds: 1, open: open, high: high, low: low, close: close,
            volume: volume)
        let asset = try row.asset(fileSymbol, default: .equity)
        guard recording.add(bar, isDay: isDay, of: asset) else { throw notNewest(row) }
    }

    private func takeFundingRate(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let rate = FundingRate(
            exchange: try row.exchange(),
            rate: try row.number("funding_rate", -1...1, "a number from -1 to 1"),
            knownAt: try row.knownAt(timeColumn), intervalSeconds: 28_800)
        let asset = try row.asset(fileSymbol, default: .crypto)
        guard recording.add(rate, of: asset) else { throw notNewest(row) }
    }

    private func takeDepth(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let depth = MarketDepth(
            observedAt: try row.knownAt(timeColumn),
            depthUSD: try row.number("depth_usd", 0...1e15, "a number from 0 to 1e15"), intervalSeconds: 60,
            meanUSD: nil, snapshots: 0)
        let asset = try row.asset(fileSymbol, default: .crypto)
        let exchange = try row.exchange()
        // A mean over books of several exchanges would jump whenever one of them is missing.
        if let first = recording.exchangeOfDepth(asset.symbol), first != exchange {
            throw row.problem("exchange", "the exchange of the symbol's first row, \(first)")
        }
        guard recording.add(depth, of: asset, at: exchange) else { throw notNewest(row) }
    }

    private func takeEarnings(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let reportedAt = try row.knownAt(timeColumn)
        let (quarterEnd, isDay) = try row.time("quarter_end")
        guard isDay, quarterEnd < reportedAt else {
            throw row.problem("quarter_end", "YYYY-MM-DD before the report")
        }
        let perShare = -1e9...1e9
        let revenue = -1e18...1e18
        let report = EarningsReport(
            quarterEnd: quarterEnd, reportedAt: reportedAt,
            actualEPS: try row.number("actual_eps", perShare, "a number from -1e9 to 1e9"),
            estimatedEPS: try row.numberIfGiven("estimated_eps", perShare, "a number from -1e9 to 1e9"),
            revenue: try row.numberIfGiven("revenue", revenue, "a number from -1e18 to 1e18"),
            revenueEstimate: try row.numberIfGiven("revenue_estimate", revenue, "a number from -1e18 to 1e18")
        )
        let asset = try row.asset(fileSymbol, default: .equity)
        guard recording.add(report, knownAt: reportedAt, of: asset) else { throw notNewest(row) }
    }

    private func takeTransfer(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let (observedAt, isDay) = try row.time(timeColumn)
        guard !isDay else { throw row.problem(timeColumn, "a moment, not a day: the time of its block") }
        guard let hash = try row.textIfGiven("tx_hash") else {
            throw row.problem("tx_hash", "the hash of the transaction")
        }
        let transfer = Transfer(
            hash: hash, observedAt: observedAt, from: try row.textIfGiven("from"),
            to: try row.textIfGiven("to"),
            amount: try row.number("amount", 0...1e18, "a number from 0 to 1e18"),
            usdValue: try row.number("usd_value", 0...1e18, "a number from 0 to 1e18"))
        let asset = try row.asset(fileSymbol, default: .crypto)
        guard recording.add(transfer, of: asset) else {
            throw row.problem(
                timeColumn, "a time not before that of the symbol's row before, and each transfer once")
        }
    }

    private func takeScriptEntry(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let entry = ExchangeScriptEntry(
            time: try row.time(timeColumn).time, exchange: try row.exchange(),
            // 1xx is no answer yet (RFC 9110, section 15.2).
            statusCode: row.has("status_code") ? try row.integer("status_code", 200...599) : nil,
            delayMilliseconds: row.has("response_ms") ? try row.integer("response_ms", 0...600_000) : 0)
        guard recording.add(entry) else {
            throw row.problem(timeColumn, "a time after that of the exchange's row before")
        }
    }

    private func takeEpisode(_ row: CSVRow, into recording: inout RecordingBuilder) throws(CSVProblem) {
        let from = try row.time("from").time
        let to = try row.time("to").time
        guard from < to else { throw row.problem("to", "a time after from") }
        let what = try row.textIfGiven("what") ?? ""
        guard recording.add(Episode(from: from, to: to, what: what)) else {
            throw row.problem("from", "a time after the end of the episode before")
        }
    }

    func notNewest(_ row: CSVRow) -> CSVProblem {
        row.problem(timeColumn, "a time after that of the symbol's row before")
    }
}
