import EventStore
import FIMLAgents

// What the analyses keep.
extension ResultsKeeper: StoredResults {
    func value(_ key: String) async -> StoredResult? {
        do throws(StoreError) {
            if let entry = try await get(key) {
                hits.add(1, ordering: .relaxed)
                return StoredResult(entry.value, expiresAt: entry.expiresAt)
            }
        } catch {
            // Health and the log say so; here it is as if nothing were kept.
        }
        misses.add(1, ordering: .relaxed)
        return nil
    }

    func keep(_ result: StoredResult, as key: String) {
        put([KeptEntry(key: key, value: result.value, expiresAt: result.expiresAt)])
    }
}
