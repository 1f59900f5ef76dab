import Testing

@testable import EventLoop

@Suite("A slot is used again, a token never")
struct SlotTableTests {
    @Test("A late token finds nobody, though its slot is taken again")
    func generations() {
        var table = SlotTable<String>()
        let first = table.insert { _ in "first" }
        #expect(table[first] == "first" && table.count == 1)
        #expect(table.remove(first) == "first" && table.remove(first) == nil)
        let second = table.insert { _ in "second" }
        #expect(second.slot == first.slot && second != first)
        #expect(table[first] == nil && table[second] == "second" && table[slot: second.slot] == "second")
        #expect(SlotToken(second.number) == second)
    }

    @Test("A token from elsewhere finds nobody")
    func foreign() {
        let table = SlotTable<String>()
        #expect(table[SlotToken(slot: 7, generation: 0)] == nil)
    }
}
