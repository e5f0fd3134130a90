import Kernels

/// The stored elements of a batch's samples, row after row, in memory for the largest batch there is.
final class SparseBatch {
  private let rowStarts: UnsafeMutablePointer<Int>
  private let columns: UnsafeMutablePointer<Int32>
  private let values: AlignedBuffer
  private let columnCount: Int
  private let maximumRows: Int
  private var rows = 0

  /// - Parameter columnCount: features of a sample.
  init(for features: SparseFeatures, columnCount: Int, maximumRows: Int) {
    self.columnCount = columnCount
    self.maximumRows = maximumRows
    let elements = features.mostElements(ofRows: maximumRows)
    rowStarts = .allocate(capacity: maximumRows + 1)
    rowStarts.initialize(repeating: 0, count: maximumRows + 1)
    columns = .allocate(capacity: elements)
    columns.initialize(repeating: 0, count: elements)
    values = AlignedBuffer(count: elements)
  }

  deinit {
    rowStarts.deallocate()
    columns.deallocate()
  }

  /// Begins another batch.
  func removeAll() { rows = 0 }

  /// Copies a sample behind those that are there.
  /// - Precondition: no sample comes twice.
  func append(_ sample: Int, of features: SparseFeatures) {
    precondition(rows < maximumRows)
    let elements = features.elements(of: sample)
    let start = rowStarts[rows]
    precondition(start + elements.count <= values.count)
    features.columns.withUnsafeBufferPointer {
      (columns + start).update(from: $0.baseAddress! + elements.lowerBound, count: elements.count)
    }
    features.values.withUnsafeBufferPointer {
      (values.base + start)
        .update(from: $0.baseAddress! + elements.lowerBound, count: elements.count)
    }
    rows += 1
    rowStarts[rows] = start + elements.count
  }

  /// Some of the rows, in this memory.
  func matrix(rows range: Range<Int>) -> SparseMatrix {
    precondition(range.upperBound <= rows)
    return SparseMatrix(
      rows: range.count, columns: columnCount, rowStarts: rowStarts + range.lowerBound,
      columnIndices: columns, values: values.base)
  }
}
