/// Transforms elements together, at most so many at a time, so that a slow one holds back nobody; the results
/// come in the order of the elements. When the task is cancelled, its parts are too, and each still says what
/// became of it.
enum ConcurrentMap {
    /// How many assets are asked about at a time. Providers bound their own rates beside it.
    static let width = 8

    /// The transformed elements, in their order.
    static func map<Element: Sendable, Transformed: Sendable>(
        _ elements: [Element], width: Int = width,
        _ transform: @escaping @Sendable (Element) async -> Transformed
    ) async -> [Transformed] {
        await withTaskGroup(of: (Int, Transformed).self) { group in
            var transformed = [Transformed?](repeating: nil, count: elements.count)
            var next = 0
            func start() {
                guard next < elements.count else { return }
                let (index, element) = (next, elements[next])
                group.addTask { (index, await transform(element)) }
                next += 1
            }
            for _ in 0..<max(1, width) { start() }
            for await (index, result) in group {
                transformed[index] = result
                start()
            }
            return transformed.compactMap(\.self)
        }
    }
}
