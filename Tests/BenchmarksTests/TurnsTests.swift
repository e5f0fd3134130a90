import Testing

@testable import Benchmarks

@Suite struct TurnsTests {
  @Test("every candidate has a turn in every round, and after every other in some round")
  func orders() {
    let turns = Turns(of: 5)
    var followed = Set<[Int]>()
    for round in 0..<64 {
      #expect(turns[round].sorted() == Array(0..<5))
      followed.formUnion(zip(turns[round], turns[round].dropFirst()).map { [$0, $1] })
    }
    #expect(followed.count == 5 * 4)
  }

  @Test("the orders are the same in every process, and come again")
  func repeated() {
    let turns = Turns(of: 3)
    #expect((0..<4).map { turns[$0] } == [[1, 2, 0], [1, 2, 0], [2, 1, 0], [2, 0, 1]])
    #expect(turns[2] == turns[66])
    #expect(Set((0..<64).map { turns[$0] }).count == 6)
  }
}
