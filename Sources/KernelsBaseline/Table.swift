import CKernels

/// Every kernel of this set. (Functions by name: a closure would be emitted as a weak symbol.)
public func kernelTable() -> CKernelTable {
  CKernelTable(
    tileRows: tileRows, tileColumns: tileColumns,
    multiplyTile: multiplyTile,
    packRows: packRows,
    packColumns: packColumns,
    add: add,
    scale: scale,
    convertBytes: convertBytes,
    addBias: addBias,
    sumRows: sumRows,
    relu: relu,
    reluGradient: reluGradient,
    softmax: softmax,
    softmaxCrossEntropy: softmaxCrossEntropy,
    squaredError: squaredError,
    sgd: sgd)
}
