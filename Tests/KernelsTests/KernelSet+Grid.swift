@testable import Kernels

// The products from values to values.
extension KernelSet {
  /// x w
  func product(
    _ x: Grid, _ w: Grid, from start: SumStart = .zero, over old: Grid? = nil,
    then finish: SumFinish = .none
  ) -> Grid {
    x.read { x in
      w.read { w in
        Grid(rows: x.rows, columns: w.columns) {
          if let old { $0.fill(old) }
          self.product(x, w, into: $0, from: start, then: finish)
        }
      }
    }
  }

  /// x w, w packed
  func product(_ x: Grid, _ w: PackedMatrix) -> Grid {
    x.read { x in Grid(rows: x.rows, columns: w.columns) { self.product(x, w, into: $0) } }
  }

  /// x w, w packed and x written block by block
  func product(source x: Grid, _ w: PackedMatrix) -> Grid {
    Grid(rows: x.rows, columns: w.columns) { self.product(GridSource(grid: x), w, into: $0) }
  }

  /// dy w^T
  func productWithTranspose(
    _ dy: Grid, _ w: Grid, from start: SumStart = .zero, over old: Grid? = nil,
    then finish: SumFinish = .none
  ) -> Grid {
    dy.read { dy in
      w.read { w in
        Grid(rows: dy.rows, columns: w.rows) {
          if let old { $0.fill(old) }
          self.productWithTranspose(dy, w, into: $0, from: start, then: finish)
        }
      }
    }
  }

  /// x^T dy
  func productOfTranspose(_ x: Grid, _ dy: Grid, over shards: ShardRows) -> Grid {
    x.read { x in
      dy.read { dy in
        Grid(rows: x.columns, columns: dy.columns) {
          self.productOfTranspose(x, dy, over: shards, into: $0)
        }
      }
    }
  }

  /// The sum of all values, each a row's.
  func sum(_ x: [Float], over shards: ShardRows) -> Float {
    var sum: Float = 0
    self.sum(x, over: shards, into: &sum)
    return sum
  }

  /// The sums of columns, as one row.
  func sumRows(_ x: Grid, over shards: ShardRows) -> Grid {
    x.read { x in
      Grid(rows: 1, columns: x.columns) { self.sumRows(x, over: shards, into: $0.base) }
    }
  }
}

// Losses and their gradients from values to values.
extension KernelSet {
  func softmax(_ x: Grid) -> Grid {
    x.read { x in Grid(rows: x.rows, columns: x.columns) { self.softmax(x, into: $0) } }
  }

  func softmaxCrossEntropy(_ x: Grid, labels: [Int32]) -> (losses: Grid, gradient: Grid) {
    withGradient(x) { x, losses, gradient in
      self.softmaxCrossEntropy(x, labels: labels, losses: losses.base, into: gradient)
    }
  }

  func squaredError(_ x: Grid, targets: Grid) -> (losses: Grid, gradient: Grid) {
    withGradient(x) { x, losses, gradient in
      self.squaredError(x, targets: targets.values, losses: losses.base, into: gradient)
    }
  }

  /// The losses and the gradient that `body` writes.
  func withGradient(
    _ x: Grid, _ body: (_ x: Matrix, _ losses: Matrix, _ gradient: Matrix) -> Void
  ) -> (losses: Grid, gradient: Grid) {
    var gradient: Grid?
    let losses = x.read { x in
      Grid(rows: x.rows, columns: 1) { losses in
        gradient = Grid(rows: x.rows, columns: x.columns) { body(x, losses, $0) }
      }
    }
    return (losses, gradient!)
  }
}

/// A left operand that is a grid.
struct GridSource: LeftSource {
  var grid: Grid
  var rows: Int { grid.rows }
  var depth: Int { grid.columns }

  func write(
    rows: Range<Int>, depth: Range<Int>, to block: UnsafeMutablePointer<Float>, stride: Int
  ) {
    for i in rows {
      for d in depth {
        block[(i - rows.lowerBound) * stride + d - depth.lowerBound] =
          grid.values[i * grid.columns + d]
      }
    }
  }
}
