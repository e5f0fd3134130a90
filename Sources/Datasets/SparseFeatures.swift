/// The features of a whole data set, of which only those that are not zero are stored, sample after
/// sample (CSR).
///
///     sample 0   0 5 0        rowStarts  0, 1, 1, 3
///     sample 1   0 0 0        columns    1, 0, 2
///     sample 2   6 0 7        values     5, 6, 7
public struct SparseFeatures: Sendable {
  /// Where each sample's elements start, and how many there are in all.
  public private(set) var rowStarts = [0]
  /// Of every stored element; ascending within a sample.
  public private(set) var columns: [Int32] = []
  public private(set) var values: [Float] = []

  /// One more than the largest column.
  public private(set) var columnCount = 0
  /// The most elements of a sample.
  private var longest = 0

  public var count: Int { rowStarts.count - 1 }
  /// Stored elements of all samples.
  public var elementCount: Int { values.count }

  /// The stored elements of a sample.
  func elements(of sample: Int) -> Range<Int> { rowStarts[sample]..<rowStarts[sample + 1] }

  /// The most elements that `rows` different samples have stored.
  public func mostElements(ofRows rows: Int) -> Int {
    var samples = [Int](repeating: 0, count: longest + 1)
    for sample in 0..<count { samples[elements(of: sample).count] += 1 }
    var (rest, most) = (rows, 0)
    for length in samples.indices.reversed() {
      let taken = min(rest, samples[length])
      most += taken * length
      rest -= taken
    }
    return most
  }

  /// Adds an element to the sample that is being read.
  mutating func append(column: Int32, value: Float) {
    columnCount = max(columnCount, Int(column) + 1)
    columns.append(column)
    values.append(value)
  }

  /// Ends the sample that is being read.
  mutating func endSample() {
    longest = max(longest, values.count - rowStarts[count])
    rowStarts.append(values.count)
  }

  /// Bytes of memory.
  var bytes: Int {
    rowStarts.count * MemoryLayout<Int>.stride
      + values.count * (MemoryLayout<Int32>.stride + MemoryLayout<Float>.stride)
  }
}
