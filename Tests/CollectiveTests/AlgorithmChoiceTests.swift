import Testing

@testable import Collective

@Test("the choice is what the price says is cheapest, of the canonical ones where it must be")
func cheapest() {
  let model = CostModel(
    flat: LinkModel(alpha: 5e-6, bandwidth: 1e9), reduction: CostCurve(secondsPerByte: 1e-10))
  let width = ElementWidth(bytes: 4)
  var choice = AlgorithmChoice(model)
  var chosen: Set<AllreduceAlgorithm> = []
  for size in [1, 2, 3, 4, 6, 8, 13] {
    for exponent in 2...24 {
      for canonical in [false, true] {
        let decision = choice.decide(
          bytes: 1 << exponent, size: size, canonical: canonical, width: width)
        let algorithm = decision.algorithm
        chosen.insert(algorithm)
        #expect(!canonical || algorithm.isCanonical(size: size))
        #expect(
          decision.seconds
            == Price(
              of: algorithm.generator(size: size, count: (1 << exponent) / 4), on: model,
              width: width
            ).seconds)
        let price = { (algorithm: AllreduceAlgorithm) in
          Price(
            of: algorithm.generator(size: size, count: (1 << exponent) / 4), on: model, width: width
          ).seconds
        }
        for other in AllreduceAlgorithm.allCases where !canonical || other.isCanonical(size: size) {
          #expect(decision.seconds <= price(other))
        }
        // The answer is its power of two's.
        #expect(
          choice.decide(
            bytes: (2 << exponent) - 1, size: size, canonical: canonical, width: width)
            == decision)
      }
    }
  }
  #expect(chosen.count > 1)
  #expect(
    AllreduceAlgorithm.allCases.contains(
      choice.decide(bytes: 0, size: 5, canonical: false, width: width).algorithm))
}
