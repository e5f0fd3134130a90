/// Sizes of the blocks of a product, found by measuring (Documentation/Kernels.md). None of them
/// shows in a result.
enum ProductBlocks {
  /// Depth of a block: a panel of it and a block of rows share the second-level cache.
  static let depth = 1024
  /// Floats of a block of the left operand: half of a 1 MB second-level cache.
  static let leftFloats = 128 * 1024
  /// Floats of a packed block of the right operand where many blocks of rows use it.
  static let rightFloats = 1024 * 1024
  /// The same where only one does: used at once, it need not leave the second-level cache.
  static let rightFloatsForOne = 64 * 1024
  /// Tiles down a panel up to which the right operand is read where it lies: packing it would take
  /// longer.
  static let tilesInPlace = 2

  /// Whether a transposed left operand is copied block by block, for rows of the depth that lie
  /// `stride` floats apart: a multiple of 1 KiB, they share few sets of the first-level cache.
  static func isCopied(depth: Int, stride: Int) -> Bool { stride % 256 == 0 && depth > 128 }
}
