import CKernels

/// A right operand in the layout that a kernel set's products read: packed once, used for many
/// products, such as the weights of a layer during an evaluation.
///
/// The layout belongs to the kernel set: panels of a tile's width, each with the whole depth.
public final class PackedMatrix {
  public let instructions: InstructionSet
  /// Rows of the right operand: the depth of the product.
  public let depth: Int
  /// Columns of the right operand, and of the product.
  public let columns: Int

  private let kernels: CProducts
  private let panels: AlignedBuffer

  /// Room for a right operand, depth x columns; zero at first.
  public init(depth: Int, columns: Int, for kernels: KernelSet) {
    precondition(depth >= 0 && columns >= 0)
    instructions = kernels.instructions
    self.depth = depth
    self.columns = columns
    self.kernels = kernels.table.products
    let width = self.kernels.tileColumns
    panels = AlignedBuffer(count: (columns + width - 1) / width * width * depth)
  }

  /// Floats that one takes at most, on any kernel set.
  public static func mostFloats(depth: Int, columns: Int) -> Int {
    ScratchNeed.panels(columns) * depth
  }

  /// Packs `w` (depth x columns).
  public func pack(_ w: Matrix) {
    precondition(w.rows == depth && w.columns == columns)
    kernels.packRows(columns, depth, w.base, w.columns, panels.base, panelStride)
  }

  /// Packs the transpose of `w` (columns x depth).
  public func packTranspose(_ w: Matrix) {
    precondition(w.rows == columns && w.columns == depth)
    kernels.packColumns(columns, depth, w.base, w.columns, panels.base, panelStride)
  }

  /// Elements between one panel's start and the next's.
  var panelStride: Int { depth * kernels.tileColumns }

  /// Row `d` of the panel that starts with `column`.
  func panel(column: Int, depth d: Int) -> UnsafePointer<Float> {
    UnsafePointer(panels.base) + column * depth + d * kernels.tileColumns
  }
}
