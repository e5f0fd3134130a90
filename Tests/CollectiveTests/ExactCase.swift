import Foundation

@testable import Collective

/// Inputs of every rank, distinct per rank and index, and the exact results of reducing them.
struct ExactCase<Element: ExactElement>: Sendable {
  let ranks: Int
  private let addends: [[Element]]
  private let factors: [[Element]]
  private let results: [String: [Element]]

  /// Indices after which values repeat: a prime, which no chunk or segment is a multiple of.
  private static var period: Int { 1021 }

  init(_ type: Element.Type, ranks: Int) {
    self.ranks = ranks
    // Sums of 17 are exact in 11 bits, and products in 24.
    let addends = ExactCase.table(ranks) { rank, index in
      (index * 7 + rank * 1009) % 97 + rank - 40
    }
    let factors = ExactCase.table(ranks) { rank, index in
      [1, 2, -1, 1, -2][(index * 3 + rank) % 5]
    }
    self.addends = addends.map { $0.map { Element(rounding: $0) } }
    self.factors = factors.map { $0.map { Element(rounding: $0) } }
    let sums = ExactCase.folded(addends, +)
    let minima = ExactCase.folded(addends, min).map { Element(rounding: $0) }
    results = [
      "sum": sums.map { Element(rounding: $0) },
      // One rank's buffer stays as it is.
      "average": sums.map { Element(average: $0, ranks: ranks) },
      "minimum": minima,
      "smaller": minima,
      "maximum": ExactCase.folded(addends, max).map { Element(rounding: $0) },
      "product": ExactCase.folded(factors, *).map { Element(rounding: $0) },
    ]
  }

  private static func table(_ ranks: Int, _ value: (Int, Int) -> Int) -> [[Int]] {
    (0..<ranks).map { rank in (0..<period).map { value(rank, $0) } }
  }

  private static func folded(_ table: [[Int]], _ combine: (Int, Int) -> Int) -> [Int] {
    table.dropFirst().reduce(table[0]) { zip($0, $1).map(combine) }
  }

  /// Writes the rank's input.
  func fill(
    _ buffer: UnsafeMutableBufferPointer<Element>, rank: Int,
    for reduction: Reduction<Element> = .sum
  ) {
    let block = (reduction.name == "product" ? factors : addends)[rank]
    _ = forEachBlock(of: buffer, in: 0..<buffer.count, block) { memcpy($0, $1, $2) != nil }
  }

  /// Whether the elements in `range`, or all of them, are the result, bit for bit.
  func isResult(
    _ buffer: UnsafeMutableBufferPointer<Element>, of reduction: Reduction<Element> = .sum,
    in range: Range<Int>? = nil
  ) -> Bool {
    forEachBlock(of: buffer, in: range ?? 0..<buffer.count, results[reduction.name]!) {
      memcmp($0, $1, $2) == 0
    }
  }

  /// Whether the elements in `range` are the input of `rank`, bit for bit.
  func isInput(
    _ buffer: UnsafeMutableBufferPointer<Element>, of rank: Int, in range: Range<Int>
  ) -> Bool {
    forEachBlock(of: buffer, in: range, addends[rank]) { memcmp($0, $1, $2) == 0 }
  }

  /// Walks along the buffer and the repeated table, up to a block's length at a time, while `body`
  /// likes them.
  private func forEachBlock(
    of buffer: UnsafeMutableBufferPointer<Element>, in range: Range<Int>, _ table: [Element],
    _ body: (_ buffer: UnsafeMutableRawPointer, _ table: UnsafeRawPointer, _ bytes: Int) -> Bool
  ) -> Bool {
    var index = range.lowerBound
    while index < range.upperBound {
      let offset = index % ExactCase.period
      let count = min(ExactCase.period - offset, range.upperBound - index)
      let isGood = table.withUnsafeBytes {
        body(
          buffer.baseAddress! + index, $0.baseAddress! + offset * MemoryLayout<Element>.stride,
          count * MemoryLayout<Element>.stride)
      }
      if !isGood { return false }
      index += count
    }
    return true
  }
}
