import Testing

@testable import Datasets

@Suite("the order of visit")
struct SamplerTests {
  static func sampler(_ count: Int, batch: Int = 4, seed: UInt64 = 1) -> Sampler {
    Sampler(count: count, batchSize: batch, seed: seed, shuffles: true)
  }

  @Test("an epoch visits every sample once", arguments: [1, 2, 3, 4, 5, 8, 97, 10_000])
  func permutation(count: Int) {
    for epoch in 0..<3 {
      #expect(SamplerTests.sampler(count).order(epoch: epoch).sorted() == Array(0..<UInt32(count)))
    }
  }

  @Test("epochs and seeds have orders of their own, which do not depend on the batch size")
  func differs() {
    let orders =
      (0..<5).map { SamplerTests.sampler(50).order(epoch: $0) }
      + [2, 3, 1 << 32, .max].map { SamplerTests.sampler(50, seed: $0).order(epoch: 0) }
    #expect(Set(orders).count == orders.count)
    #expect(SamplerTests.sampler(50, batch: 7).order(epoch: 3) == orders[3])
  }

  @Test("without shuffling, every epoch is the file's order")
  func fileOrder() {
    let sampler = Sampler(count: 9, batchSize: 4, seed: 5, shuffles: false)
    #expect(sampler.order(epoch: 0) == Array(0..<9))
    #expect(sampler.order(epoch: 7) == Array(0..<9))
  }

  @Test("the last batch is short, and no batch is empty")
  func batches() {
    for (count, batch, sizes) in [
      (9, 4, [4, 4, 1]), (8, 4, [4, 4]), (1, 4, [1]), (3, 1, [1, 1, 1]), (5, 5, [5]),
    ] {
      let sampler = SamplerTests.sampler(count, batch: batch)
      #expect(sampler.batchesPerEpoch == sizes.count)
      let positions = (0..<sizes.count).map { sampler.positions(ofBatch: $0) }
      #expect(positions.map(\.count) == sizes)
      #expect(positions.flatMap { $0 } == Array(0..<count))
    }
  }

  @Test("each sample comes first about as often as any other")
  func uniform() {
    var counts = [Int](repeating: 0, count: 8)
    for epoch in 0..<4000 { counts[Int(SamplerTests.sampler(8).order(epoch: epoch)[0])] += 1 }
    // Binomial(4000, 1/8): mean 500, deviation 21; five deviations, eight times: 1 in 200,000.
    #expect(counts.allSatisfy { abs($0 - 500) < 105 }, "\(counts)")
  }

  // What follows is the documented shuffle once more, written word by word.

  /// Philox4x32-10 on plain words; counter and key from low to high.
  static func philox(_ counter: [UInt32], _ key: [UInt32]) -> [UInt32] {
    var (c0, c1, c2, c3) = (counter[0], counter[1], counter[2], counter[3])
    var (k0, k1) = (key[0], key[1])
    for round in 0..<10 {
      if round > 0 {
        k0 = k0 &+ 2_654_435_769
        k1 = k1 &+ 3_144_134_277
      }
      let a = c0.multipliedFullWidth(by: 3_528_531_795)
      let b = c2.multipliedFullWidth(by: 3_449_720_151)
      (c0, c1, c2, c3) = (b.high ^ c1 ^ k0, b.low, a.high ^ c3 ^ k1, a.low)
    }
    return [c0, c1, c2, c3]
  }

  @Test("the test's own generator gives the numbers that its authors published")
  func knownAnswers() {
    // Random123, tests/kat_vectors, "philox4x32 10".
    #expect(
      SamplerTests.philox([0, 0, 0, 0], [0, 0])
        == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    #expect(
      SamplerTests.philox(
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0])
        == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
  }

  @Test("the order is the documented one", arguments: [1, 2, 4, 5, 11, 64, 1001])
  func documented(count: Int) {
    for (seed, epoch): (UInt64, UInt32) in [(1, 0), (1, 3), (0xDEAD_BEEF_0000_0007, 2)] {
      var order = Array(0..<UInt32(count))
      var i = count - 1
      while i > 0 {
        // Counter: block, 0, purpose 2 (shuffle), epoch; key: the seed's halves.
        let words = SamplerTests.philox(
          [UInt32(i / 4), 0, 2, epoch], [UInt32(seed & 0xFFFF_FFFF), UInt32(seed >> 32)])
        let other = Int(words[i % 4].multipliedFullWidth(by: UInt32(i + 1)).high)
        (order[i], order[other]) = (order[other], order[i])
        i -= 1
      }
      let found = SamplerTests.sampler(count, seed: seed).order(epoch: Int(epoch))
      let firstOdd = zip(found, order).enumerated().first { $0.element.0 != $0.element.1 }
      #expect(found.count == count && firstOdd == nil, "seed \(seed), epoch \(epoch)")
    }
  }
}
