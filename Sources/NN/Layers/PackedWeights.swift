import Kernels

/// A layer's weights and their transpose in the layout that products read: packed by the first of
/// several passes that use the same weights, for the others too. Their memory is taken then, and kept.
public final class PackedWeights {
  private var matrix: PackedMatrix?
  private var transpose: PackedMatrix?

  public init() {}

  /// Floats of both, at most, on any kernel set.
  static func count(_ shape: Shape) -> Int {
    let (rows, columns) = (shape.dimensions[0], shape.dimensions[1])
    return PackedMatrix.mostFloats(depth: rows, columns: columns)
      + PackedMatrix.mostFloats(depth: columns, columns: rows)
  }

  /// `w`, for products x w.
  func matrix(_ w: Matrix, pass: Pass) -> PackedMatrix {
    current(&matrix, depth: w.rows, columns: w.columns, pass) { $0.pack(w) }
  }

  /// The transpose of `w`, for products dy w^T.
  func transpose(_ w: Matrix, pass: Pass) -> PackedMatrix {
    current(&transpose, depth: w.columns, columns: w.rows, pass) { $0.packTranspose(w) }
  }

  private func current(
    _ packed: inout PackedMatrix?, depth: Int, columns: Int, _ pass: Pass,
    pack: (PackedMatrix) -> Void
  ) -> PackedMatrix {
    precondition(pass.weightUse != .once)
    if let packed, packed.instructions == pass.kernels.instructions {
      if pass.weightUse == .first { pack(packed) }
      return packed
    }
    let new = PackedMatrix(depth: depth, columns: columns, for: pass.kernels)
    pack(new)
    packed = new
    return new
  }
}
