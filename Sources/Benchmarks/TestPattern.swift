/// Inputs whose reductions are known exactly, and the check of results.
///
/// Inputs are integers that look random, other ones for every rank and index, and so small that
/// sums in any order are exact in the type. They repeat after a prime number of elements, which no
/// chunk or segment is a multiple of.
struct TestPattern<Element: BenchmarkElement> {
  let reduction: ReductionChoice
  let ranks: Int
  let period: Int
  private let expected: [Element]
  /// Where two roundings of a mean are right, the other one.
  private let alternative: [Element]

  /// A prime number.
  static var longestPeriod: Int { 1_048_573 }

  /// - Parameter period: a prime number, or no less than the elements of any buffer.
  init(_ reduction: ReductionChoice, ranks: Int, period: Int = longestPeriod) {
    self.reduction = reduction
    self.ranks = ranks
    self.period = period
    var expected: [Element] = []
    var alternative: [Element] = []
    expected.reserveCapacity(period)
    for index in 0..<period {
      var result = TestPattern.input(0, index, reduction, ranks: ranks)
      for rank in 1..<max(ranks, 1) {
        let value = TestPattern.input(rank, index, reduction, ranks: ranks)
        switch reduction {
        case .sum, .average: result += value
        case .minimum: result = min(result, value)
        case .maximum: result = max(result, value)
        case .product: result *= value
        }
      }
      if reduction == .average {
        let means = Element.means(ofSum: result, ranks: ranks)
        expected.append(means.quotient)
        alternative.append(means.product)
      } else {
        expected.append(Element(nearest: result))
      }
    }
    self.expected = expected
    self.alternative = reduction == .average ? alternative : expected
  }

  /// What `rank` has at `index`.
  func input(_ rank: Int, _ index: Int) -> Element {
    Element(nearest: TestPattern.input(rank, index % period, reduction, ranks: ranks))
  }

  /// Writes the input of `rank`.
  func fill(_ buffer: UnsafeMutableBufferPointer<Element>, rank: Int) {
    for index in 0..<min(period, buffer.count) { buffer[index] = input(rank, index) }
    // Element by element from a period before.
    for index in stride(from: period, to: buffer.count, by: 1) {
      buffer[index] = buffer[index - period]
    }
  }

  /// How many elements are not the reduction of all ranks' inputs.
  func wrongCount(in buffer: UnsafeBufferPointer<Element>) -> Int {
    var wrong = 0
    var place = 0
    for element in buffer {
      if element != expected[place] && element != alternative[place] { wrong += 1 }
      place = place + 1 == period ? 0 : place + 1
    }
    return wrong
  }

  /// How many elements are not the input of `rank`.
  func wrongCount(in buffer: UnsafeBufferPointer<Element>, asInputOf rank: Int) -> Int {
    buffer.indices.reduce(0) { $0 + (buffer[$1] == input(rank, $1) ? 0 : 1) }
  }

  private static func input(
    _ rank: Int, _ index: Int, _ reduction: ReductionChoice, ranks: Int
  ) -> Int {
    let bits = (UInt64(rank) << 32 | UInt64(index)).mixed
    switch reduction {
    case .sum, .average, .minimum, .maximum:
      let limit = min(max(1, Element.exactLimit / ranks), 1 << 20)
      return Int(bits % UInt64(2 * limit + 1)) - limit
    case .product:
      // Signs, and a factor of two from at most eight ranks: exact in every type.
      let interval = (ranks + 7) / 8
      return ((rank + index) % interval == 0 ? 2 : 1) * (bits & 1 == 0 ? 1 : -1)
    }
  }
}
