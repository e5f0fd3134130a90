import CKernels

/// The matrix products of this set.
func productTable() -> CProducts {
  CProducts(
    tileRows: tileRows, tileColumns: tileColumns, lanes: lanes, streamedRows: streamedRows,
    multiply: multiply,
    multiplyShards: multiplyShards,
    multiplyRows: multiplyRows,
    spreadLeft: spreadsLeft ? spreadLeft : nil,
    packRows: packRows,
    packColumns: packColumns)
}
