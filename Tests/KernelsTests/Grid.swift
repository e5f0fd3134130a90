import Kernels

/// Rows of floats by value: what tests hand to kernels and compare.
struct Grid: Equatable {
  var rows: Int
  var columns: Int
  var values: [Float]

  init(rows: Int, columns: Int, _ values: [Float]) {
    precondition(values.count == rows * columns)
    self.rows = rows
    self.columns = columns
    self.values = values
  }

  /// Uniform in -1..<1, other values for every `number`.
  init(rows: Int, columns: Int, random number: Int) {
    self.init(rows: rows, columns: columns, randomValues(rows * columns, number))
  }

  /// What `body` writes. It finds NaN everywhere, so that an element left out shows.
  init(rows: Int, columns: Int, writtenBy body: (Matrix) -> Void) {
    var values = [Float](repeating: .nan, count: rows * columns)
    values.withUnsafeMutableBufferPointer {
      body(Matrix($0.baseAddress ?? Grid.somewhere, rows: rows, columns: columns))
    }
    self.init(rows: rows, columns: columns, values)
  }

  /// Lends the values as a matrix that is only read.
  func read<Result>(_ body: (Matrix) -> Result) -> Result {
    values.withUnsafeBufferPointer {
      body(
        Matrix(
          $0.baseAddress.map { UnsafeMutablePointer(mutating: $0) } ?? Grid.somewhere, rows: rows,
          columns: columns))
    }
  }

  /// These rows by themselves.
  func part(_ range: Range<Int>) -> Grid {
    Grid(
      rows: range.count, columns: columns,
      Array(values[range.lowerBound * columns..<range.upperBound * columns]))
  }

  var transposed: Grid {
    Grid(
      rows: columns, columns: rows,
      (0..<values.count).map { values[$0 % rows * columns + $0 / rows] })
  }

  var isAllNaN: Bool { values.allSatisfy { $0.isNaN } }
  var bits: [UInt32] { values.map(\.bitPattern) }

  /// The address of no element.
  private static var somewhere: UnsafeMutablePointer<Float> {
    UnsafeMutablePointer(bitPattern: 64)!
  }
}

extension Matrix {
  /// Copies the values of `grid`.
  func fill(_ grid: Grid) {
    precondition(count == grid.values.count)
    for i in 0..<count { base[i] = grid.values[i] }
  }
}

/// Uniform in -1..<1, other values for every `number`.
func randomValues(_ count: Int, _ number: Int) -> [Float] {
  [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
    let stream = RandomStream(seed: 20_260, purpose: .syntheticData, instance: number)
    stream.fillUniform(UnsafeMutableBufferPointer(rebasing: buffer[..<count]), bound: 1)
    initialized = count
  }
}

/// The first place where `result` is not `expected`, in words, or nil. (`#expect(result ==
/// expected)` would print long lists, and search for the shortest edit between them.)
func difference<Element: Equatable>(_ result: [Element], _ expected: [Element]) -> String? {
  guard result.count == expected.count else {
    return "\(result.count) elements, expected \(expected.count)"
  }
  return expected.indices.first { result[$0] != expected[$0] }.map {
    "element \($0) is \(result[$0]), expected \(expected[$0])"
  }
}

/// Integers drawn one after the other, the same in every run.
struct Draws {
  private let stream: RandomStream
  private var index: UInt64 = 0

  init(_ number: Int) {
    stream = RandomStream(seed: 7, purpose: .syntheticData, instance: number)
  }

  mutating func next(in range: ClosedRange<Int>) -> Int {
    index += 1
    return range.lowerBound + Int(stream.block(index).x) % range.count
  }
}

/// Half the distance between 1 and the next Float: the largest relative error of one rounding.
let unitRoundoff = 0x1p-24

/// 0, 1, and the sizes around one and several vectors and tiles of any kernel set, with primes; and 180
/// at random, most of them small.
let sizes: [Int] = {
  var draws = Draws(4)
  let random = (0..<180).map { _ in draws.next(in: 1...16 << draws.next(in: 0...5)) }
  return [0, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 61, 64, 127, 257, 1009] + random
}()
