import Testing

@testable import Datasets

@Suite("data made of random numbers")
struct SyntheticDatasetTests {
  private func dataset(
    count: Int = 400, extents: [Int] = [5, 7], seed: UInt64 = 3, part: Int = 0
  ) -> SyntheticDataset {
    SyntheticDataset(count: count, featureExtents: extents, classes: 10, seed: seed, part: part)
  }

  @Test("a sample is a function of the seed and its number, whatever the count")
  func pure() {
    let small = dataset(count: 11)
    let large = dataset(count: 1000)
    #expect(large.featureCount == 35)
    #expect(large.targets == .labels(classes: 10))
    for sample in [10, 0, 3, 10] {
      #expect(small.features(of: sample) == large.features(of: sample))
      #expect(small.label(of: sample) == large.label(of: sample))
      #expect(small.label(of: sample) == Int32(sample % 10))
    }
  }

  @Test("seeds, parts and samples of one class all differ")
  func differs() {
    let sample = dataset().features(of: 4)
    #expect(dataset(seed: 4).features(of: 4) != sample)
    #expect(dataset(seed: 3 + 1 << 32).features(of: 4) != sample)
    #expect(dataset(part: 1).features(of: 4) != sample)
    #expect(dataset().features(of: 14) != sample)
    let all = Set((0..<400).map { dataset().features(of: $0) })
    let test = Set((0..<400).map { dataset(part: 1).features(of: $0) })
    #expect(all.count == 400)
    #expect(all.isDisjoint(with: test))
  }

  @Test("the nearest class mean of the training part classifies the test part")
  func separable() {
    let training = dataset(count: 2000, extents: [64])
    let test = dataset(count: 500, extents: [64], part: 1)
    var means = Array(repeating: [Float](repeating: 0, count: 64), count: 10)
    for sample in 0..<training.count {
      let label = Int(training.label(of: sample))
      for (i, value) in training.features(of: sample).enumerated() {
        means[label][i] += value / Float(training.count / 10)
      }
    }
    var correct = 0
    for sample in 0..<test.count {
      let features = test.features(of: sample)
      let distances = means.map { mean in
        zip(mean, features).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      }
      let nearest = distances.firstIndex(of: distances.min()!)!
      if nearest == Int(test.label(of: sample)) { correct += 1 }
    }
    // Chance is 50. Two centres are about sqrt(64/6) = 3.3 apart, the noise's deviation along the
    // line between them is 2/sqrt(12) = 0.58: half the distance is nearly three deviations.
    #expect(correct > 450)
  }

  @Test("features stay between the centre's extremes plus the noise's")
  func range() {
    for sample in 0..<100 {
      #expect(dataset().features(of: sample).allSatisfy { $0 >= -1 && $0 < 2 })
    }
  }
}
