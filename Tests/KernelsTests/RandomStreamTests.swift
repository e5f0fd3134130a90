import Testing

@testable import Kernels

struct RandomStreamTests {
  /// The vectors of Random123's `kat_vectors`, philox4x32 with 10 rounds: counter, key, words.
  static let published: [(SIMD4<UInt32>, SIMD2<UInt32>, SIMD4<UInt32>)] = [
    (
      SIMD4(0, 0, 0, 0), SIMD2(0, 0),
      SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8)
    ),
    (
      SIMD4(repeating: 0xffff_ffff), SIMD2(repeating: 0xffff_ffff),
      SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd)
    ),
    (
      SIMD4(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344), SIMD2(0xa409_3822, 0x299f_31d0),
      SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1)
    ),
  ]

  @Test("Philox gives the published words", arguments: published)
  func publishedWords(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, words: SIMD4<UInt32>) {
    #expect(RandomStream.philox(counter: counter, key: key) == words)
  }

  @Test("a block is Philox of index, purpose and instance, under the seed")
  func counter() {
    let stream = RandomStream(
      seed: 0x0123_4567_89ab_cdef, purpose: .shuffle, instance: 0xfeed)
    let words = RandomStream.philox(
      counter: SIMD4(0x5555_6666, 0x3333_4444, RandomStream.Purpose.shuffle.rawValue, 0xfeed),
      key: SIMD2(0x89ab_cdef, 0x0123_4567))
    #expect(stream.block(0x3333_4444_5555_6666) == words)
  }

  @Test("streams that differ in seed, purpose or instance have no block in common")
  func streamsDiffer() {
    var blocks: Set<SIMD4<UInt32>> = []
    var count = 0
    for seed in [0, 1, 1 << 32, UInt64.max] {
      for purpose in [RandomStream.Purpose.initialization, .shuffle, .syntheticData] {
        for instance in [0, 1, 2, 1_000_000] {
          let stream = RandomStream(seed: seed, purpose: purpose, instance: instance)
          for index in [0, 1, 2, 1 << 32, UInt64.max] {
            blocks.insert(stream.block(index))
            count += 1
          }
        }
      }
    }
    #expect(blocks.count == count)
  }

  @Test("uniforms are in 0..<1, multiples of 2^-24, and spread evenly")
  func uniforms() {
    let stream = RandomStream(seed: 3, purpose: .syntheticData, instance: 0)
    let values = (0..<4096).flatMap { index -> [Float] in
      let lanes = stream.uniforms(UInt64(index))
      return (0..<4).map { lanes[$0] }
    }
    #expect(values.allSatisfy { 0 <= $0 && $0 < 1 })
    #expect(values.allSatisfy { ($0 * 0x1p24).rounded() == $0 * 0x1p24 })
    // Of n draws, each of 16 equal bins holds n/16 with a deviation of sqrt(n/16 * 15/16); five of
    // them is one run in a million, and the seed is fixed.
    var bins = [Int](repeating: 0, count: 16)
    for value in values { bins[Int(value * 16)] += 1 }
    let expected = Double(values.count) / 16
    for bin in bins {
      #expect((Double(bin) - expected).magnitude < 5 * (expected * 15 / 16).squareRoot())
    }
  }

  @Test("the largest word becomes the largest float below 1")
  func largestUniform() {
    // What `uniforms` does to a word, at its extremes.
    let words = SIMD4<UInt32>(0, .max, 0xff, 0x100)
    #expect(SIMD4<Float>(words &>> 8) * 0x1p-24 == SIMD4<Float>(0, 1 - 0x1p-24, 0, 0x1p-24))
  }

  @Test("fillUniform stays within its bound and fills exactly its buffer", arguments: 0...9)
  func fillUniform(count: Int) {
    let stream = RandomStream(seed: 9, purpose: .initialization, instance: 4)
    var values = [Float](repeating: .nan, count: count + 1)
    values.withUnsafeMutableBufferPointer {
      stream.fillUniform(UnsafeMutableBufferPointer(rebasing: $0[..<count]), bound: 0.25)
    }
    #expect(values[count].isNaN)
    for i in 0..<count {
      #expect(-0.25 <= values[i] && values[i] < 0.25)
      #expect(values[i] == (stream.uniforms(UInt64(i / 4))[i % 4] * 2 - 1) * 0.25)
    }
  }
}
