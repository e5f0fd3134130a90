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
    #expect(turns(3) == turns(3))
    #expect(Turns(of: 3)[2] == Turns(of: 3)[66])
    #expect(Set(turns(3)).count == 6)
  }

  private func turns(_ candidates: Int) -> [[Int]] {
    let turns = Turns(of: candidates)
    return (0..<64).map { turns[$0] }
  }
}
