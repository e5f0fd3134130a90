import Collective
import Testing

@testable import Benchmarks

/// The check of results: it must find what is wrong, and nothing else.
struct TestPatternTests {
  /// Every rank's input, reduced by a plain loop.
  private func reduced<Element: BenchmarkElement & Numeric & Comparable>(
    _ pattern: TestPattern<Element>, count: Int
  ) -> [Element] {
    (0..<count).map { index in
      var result = pattern.input(0, index)
      for rank in 1..<max(pattern.ranks, 1) {
        let value = pattern.input(rank, index)
        switch pattern.reduction {
        case .sum, .average: result += value
        case .minimum: result = min(result, value)
        case .maximum: result = max(result, value)
        case .product: result *= value
        }
      }
      return result
    }
  }

  private func check<Element: MPIBenchmarkElement & Numeric & Comparable>(
    _ type: Element.Type, _ reduction: ReductionChoice, ranks: Int
  ) {
    let (period, count) = (101, 350)
    let pattern = TestPattern<Element>(reduction, ranks: ranks, period: period)
    var result = reduced(pattern, count: count)
    result.withUnsafeMutableBufferPointer { buffer in
      if reduction == .average { Element.average(buffer, ranks: ranks) }
      #expect(pattern.wrongCount(in: UnsafeBufferPointer(buffer)) == 0)
      // One element off by one, the last element, and two.
      for places in [[0], [count - 1], [7, 200]] {
        let before = places.map { buffer[$0] }
        for place in places { buffer[place] += 1 }
        #expect(pattern.wrongCount(in: UnsafeBufferPointer(buffer)) == places.count)
        for (place, value) in zip(places, before) { buffer[place] = value }
      }
    }
  }

  @Test("a right result has no wrong element, and every wrong one is counted", arguments: 1...9)
  func exact(ranks: Int) {
    for reduction in ReductionChoice.allCases {
      check(Float.self, reduction, ranks: ranks)
      check(Double.self, reduction, ranks: ranks)
      check(Int32.self, reduction, ranks: ranks)
      check(Int64.self, reduction, ranks: ranks)
    }
  }

  @Test("16-bit results are those of Float, rounded", arguments: [1, 2, 3, 8, 300])
  func halves(ranks: Int) {
    check(Float16.self, ranks: ranks, read: Float.init, round: Float16.init)
    check(BFloat16.self, ranks: ranks, read: Float.init, round: BFloat16.init)
  }

  private func check<Element: BenchmarkElement>(
    _ type: Element.Type, ranks: Int, read: (Element) -> Float, round: (Float) -> Element
  ) {
    for reduction in [ReductionChoice.sum, .average] {
      let pattern = TestPattern<Element>(reduction, ranks: ranks, period: 53)
      var result = (0..<100).map { index in
        let sum = (0..<ranks).reduce(Float(0)) { $0 + read(pattern.input($1, index)) }
        return round(reduction == .average ? sum / Float(ranks) : sum)
      }
      #expect(result.withUnsafeBufferPointer(pattern.wrongCount) == 0)
      result[60] = round(read(result[60]) + 2)
      #expect(result.withUnsafeBufferPointer(pattern.wrongCount) == 1)
    }
  }

  @Test("a missing rank, a rank counted twice and exchanged chunks are found")
  func faults() {
    let (ranks, count) = (4, 1000)
    let pattern = TestPattern<Float>(.sum, ranks: ranks, period: count)
    let right = reduced(pattern, count: count)
    for factor in [Float(-1), 1] {
      let wrong = (0..<count).map { right[$0] + factor * pattern.input(2, $0) }
      // An input of 0 cannot be missed.
      let zeros = (0..<count).filter { pattern.input(2, $0) == 0 }.count
      #expect(wrong.withUnsafeBufferPointer(pattern.wrongCount) == count - zeros)
    }
    let exchanged = Array(right[250..<500] + right[0..<250] + right[500...])
    #expect(exchanged.withUnsafeBufferPointer(pattern.wrongCount) > 490)
  }

  @Test("an input that was written to is found")
  func changedInput() {
    let pattern = TestPattern<Int32>(.maximum, ranks: 3, period: 53)
    var values = [Int32](repeating: 0, count: 200)
    values.withUnsafeMutableBufferPointer { buffer in
      pattern.fill(buffer, rank: 1)
      #expect(pattern.wrongCount(in: UnsafeBufferPointer(buffer), asInputOf: 1) == 0)
      #expect(pattern.wrongCount(in: UnsafeBufferPointer(buffer), asInputOf: 2) > 190)
      buffer[150] += 1
      #expect(pattern.wrongCount(in: UnsafeBufferPointer(buffer), asInputOf: 1) == 1)
    }
  }

  @Test("sums of thousands of ranks are exact in Float, in any order")
  func manyRanks() {
    let pattern = TestPattern<Float>(.sum, ranks: 4096, period: 11)
    let forward = (0..<11).map { index in
      (0..<4096).reduce(Float(0)) { $0 + pattern.input($1, index) }
    }
    let backward = (0..<11).map { index in
      (0..<4096).reversed().reduce(Float(0)) { $0 + pattern.input($1, index) }
    }
    #expect(forward == backward)
    #expect(forward.withUnsafeBufferPointer(pattern.wrongCount) == 0)
  }
}
