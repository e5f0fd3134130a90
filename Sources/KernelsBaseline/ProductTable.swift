import CKernels

/// The matrix products of this set.
func productTable() -> CProducts {
  CProducts(
    tileRows: tileRows, tileColumns: tileColumns, lanes: lanes,
    multiply: multiply,
    multiplyShards: multiplyShards,
    multiplyRow: multiplyRow,
    packRows: packRows,
    packColumns: packColumns)
}
