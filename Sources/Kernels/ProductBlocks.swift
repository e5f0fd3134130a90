import CKernels

/// Sizes of the blocks of a product, found by measuring (Documentation/Kernels.md). None of them
/// shows in a result.
enum ProductBlocks {
  /// Depth of a block: a panel of it and a block of rows share the second-level cache.
  static let depth = 1024
  /// Floats of a block of the left operand: less than half of a 1 MB second-level cache.
  static let leftFloats = 112 * 1024
  /// Floats of a packed block of the right operand where many blocks of rows use it: with a block of
  /// the left, it fits a 2 MB second-level cache.
  static let rightFloats = 256 * 1024
  /// The same where only one does: used at once, it need not leave the second-level cache.
  static let rightFloatsForOne = 64 * 1024
  /// Tiles down a panel up to which the right operand is read where it lies: packing it would take
  /// longer.
  static let tilesInPlace = 2

  /// Panels that make up for spreading the left operand.
  static let panelsOfSpread = 8

  /// Whether the left operand of a product is spread beforehand: where kernels want it so, and there
  /// are enough sums to be limited by their number, and not by the time that each term takes.
  static func isSpread(rows: Int, columns: Int, _ table: CProducts) -> Bool {
    table.spreadLeft != nil && rows > table.streamedRows
      && columns >= panelsOfSpread * table.tileColumns
  }

  /// Whether a transposed left operand is copied block by block, for rows of the depth that lie
  /// `stride` floats apart: a multiple of 1 KiB, they share few sets of the first-level cache.
  static func isCopied(depth: Int, stride: Int) -> Bool { stride % 256 == 0 && depth > 128 }
}
