import CKernels

/// Every kernel of this set. (Functions by name: a closure would be emitted as a weak symbol.)
public func kernelTable() -> CKernelTable {
  CKernelTable(
    add: add,
    scale: scale,
    convertBytes: convertBytes,
    addBias: addBias,
    sumRows: sumRows,
    relu: relu,
    reluGradient: reluGradient,
    softmax: softmax,
    softmaxGradient: softmaxGradient,
    float32: CReduction(
      sum: sumFloat32, minimum: minimumFloat32, maximum: maximumFloat32, product: productFloat32,
      divide: divideFloat32),
    float64: CReduction(
      sum: sumFloat64, minimum: minimumFloat64, maximum: maximumFloat64, product: productFloat64,
      divide: divideFloat64),
    int32: CReduction(
      sum: sumInt32, minimum: minimumInt32, maximum: maximumInt32, product: productInt32,
      divide: divideInt32),
    int64: CReduction(
      sum: sumInt64, minimum: minimumInt64, maximum: maximumInt64, product: productInt64,
      divide: divideInt64),
    widenFloat16: widenFloat16,
    widenBfloat16: widenBfloat16,
    narrowFloat16: narrowFloat16,
    narrowBfloat16: narrowBfloat16,
    stream: stream,
    images: imageTable(),
    optimizers: optimizerTable(),
    products: productTable(),
    functions: functionTable(),
    activations: activationTable(),
    losses: lossTable(),
    normalization: normalizationTable(),
    random: randomTable(),
    sparse: sparseTable(),
    peak: peakTable(),
    convolutions: convolutionTable(),
    checks: checkTable())
}
