import FIMLCore
import MarketData

extension LiveMarket: TransferSource {
    /// Transfers, as `TransferSource` says, valued at the asset's newest price.
    public func transfers(of assets: [Asset], at moment: Timestamp, within seconds: Int64, minUSD: Double)
        async -> [Answer<[Transfer]?>]
    {
        await ConcurrentMap.map(assets) { asset in
            let price = await self.usdPrice(of: asset, at: moment)
            do throws(MarketDataError) {
                let reading = try await self.feed.transfers(
                    of: asset, at: moment, within: seconds, minUSD: minUSD, usdPrice: price)
                if !reading.missed.isEmpty { self.log(reading.missed.joined(separator: "; ")) }
                return Answer(asset, .success(reading.transfers))
            } catch {
                return Answer(asset, .failure(error))
            }
        }
    }
}

extension LiveMarket: MarketClock {
    /// The real time, at once and then each second.
    public nonisolated func moments() -> AsyncStream<MarketMoment> {
        let clock = LiveClock()
        return AsyncStream { await clock.next() }
    }
}
