import CKernels

func optimizerTable() -> COptimizers {
  COptimizers(
    descend: descend,
    descendWithMomentum: descendWithMomentum,
    adam: adam,
    adagrad: adagrad,
    rmsprop: rmsprop,
    sumOfSquares: sumOfSquares,
    larsNorms: larsNorms,
    lars: lars,
    lambNorms: lambNorms,
    lamb: lamb)
}
