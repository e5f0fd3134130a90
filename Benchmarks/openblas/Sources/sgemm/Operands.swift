import COpenBLAS
import Kernels

/// The operands of a product, the same for both sides, and a result for each.
final class Operands {
  let shape: Shape
  private let left: AlignedBuffer
  private let right: AlignedBuffer
  private let ours: AlignedBuffer
  private let theirs: AlignedBuffer

  init(_ shape: Shape) {
    self.shape = shape
    left = AlignedBuffer(count: shape.m * shape.k)
    right = AlignedBuffer(count: shape.n * shape.k)
    ours = AlignedBuffer(count: shape.m * shape.n)
    theirs = AlignedBuffer(count: shape.m * shape.n)
    RandomStream(seed: 1, purpose: .syntheticData, instance: 0).fillUniform(left.elements, bound: 1)
    RandomStream(seed: 1, purpose: .syntheticData, instance: 1)
      .fillUniform(right.elements, bound: 1)
  }

  private var a: Matrix {
    shape.form == .leftTransposed
      ? Matrix(left.base, rows: shape.k, columns: shape.m)
      : Matrix(left.base, rows: shape.m, columns: shape.k)
  }
  private var b: Matrix {
    shape.form == .rightTransposed
      ? Matrix(right.base, rows: shape.n, columns: shape.k)
      : Matrix(right.base, rows: shape.k, columns: shape.n)
  }
  private var c: Matrix { Matrix(ours.base, rows: shape.m, columns: shape.n) }

  /// Lockstep's product, from operands as they are.
  func multiply(_ kernels: KernelSet, shards: Int = 1) {
    switch shape.form {
    case .plain: kernels.product(a, b, into: c)
    case .rightTransposed: kernels.productWithTranspose(a, b, into: c)
    case .leftTransposed:
      let ends = (1...max(shards, 1)).map { $0 * shape.k / shards }
      kernels.productOfTranspose(a, b, over: ShardRows(first: 0, ends: ends), into: c)
    }
  }

  /// The right operand, packed before its product is timed.
  func packed(_ kernels: KernelSet) -> PackedMatrix {
    let packed = PackedMatrix(depth: shape.k, columns: shape.n, for: kernels)
    if shape.form == .rightTransposed { packed.packTranspose(b) } else { packed.pack(b) }
    return packed
  }

  /// Lockstep's product with a packed right operand.
  func multiply(_ kernels: KernelSet, _ packed: PackedMatrix) {
    kernels.product(a, packed, into: c)
  }

  /// OpenBLAS's product.
  func sgemm() {
    cblas_sgemm(
      CblasRowMajor, shape.form == .leftTransposed ? CblasTrans : CblasNoTrans,
      shape.form == .rightTransposed ? CblasTrans : CblasNoTrans, Int32(shape.m), Int32(shape.n),
      Int32(shape.k), 1, a.base, Int32(a.columns), b.base, Int32(b.columns), 0, theirs.base,
      Int32(shape.n))
  }

  /// OpenBLAS's product of a matrix and a vector, for one row.
  func sgemv() {
    cblas_sgemv(
      CblasRowMajor, shape.form == .rightTransposed ? CblasNoTrans : CblasTrans, Int32(b.rows),
      Int32(b.columns), 1, b.base, Int32(b.columns), a.base, 1, 0, theirs.base, 1)
  }

  /// The largest difference between the results, in units of k u max|a||b|.
  var difference: Float {
    zip(ours.elements, theirs.elements).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
      / (Float(shape.k) * 0x1p-24 * Float(shape.k))
  }
}
