import Kernels
import Testing

@testable import Benchmarks

/// The kernels that `lockstep bench kernels` measures, and how it judges them.
struct KernelCaseTests {
  /// Small operands in place of those that fill caches.
  private static var cases: [KernelCase] {
    KernelCase.all(KernelSizes(caches: [16 << 10, 128 << 10, 64 << 10]))
  }

  @Test("every group of kernels takes part, and no name stands for two")
  func names() {
    let cases = KernelCaseTests.cases
    for group in KernelGroup.allCases { #expect(cases.contains { $0.group == group }, "\(group)") }
    #expect(Set(cases.map(\.name)).count == cases.count)
    #expect(cases.allSatisfy { $0.bytes > 0 && $0.footprint > 0 && $0.flops >= 0 })
  }

  @Test("every kernel is right at every shape", arguments: InstructionSet.supported)
  func verified(set: InstructionSet) {
    let kernels = KernelSet(set)
    for one in KernelCaseTests.cases {
      let wrong = one.prepare(kernels).wrongCount()
      #expect(wrong == 0, "\(one.name)")
    }
  }

  @Test("a kernel that leaves a result as it was is wrong", arguments: KernelGroup.allCases)
  func caught(group: KernelGroup) {
    let kernels = KernelSet(.baseline)
    for one in KernelCaseTests.cases where one.group == group {
      var prepared = one.prepare(kernels)
      prepared.call = {}
      #expect(prepared.wrongCount() > 0, "\(one.name)")
    }
  }

  @Test("sizes are half a second-level cache, and four times the last level")
  func sizes() {
    let sizes = KernelSizes(caches: [48 << 10, 1 << 20, 32 << 20])
    #expect(sizes.cache == 512 << 10 && sizes.memory == 128 << 20)
    #expect(sizes.counts(bytesPerIndex: 12) == [43680, 11_184_800])
  }

  @Test("a kernel's limit is the slower one of arithmetic and copy, and its share that by its time")
  func limits() {
    var one = KernelCase(
      group: .product, kernel: "k", shape: "s", flops: 4e6, bytes: 1000, footprint: 1000
    ) { _ in preconditionFailure() }
    func record() -> KernelRecord {
      KernelRecord(
        one, .baseline, Timing(nanoseconds: [100_000]), wrong: 0, peak: 1e11, copy: 1e9, level: "L2"
      )
    }
    // 40 us by arithmetic, 1 us by memory.
    #expect(record().limit == .arithmetic && abs(record().share - 0.4) < 1e-12)
    #expect(abs(record().gflops! - 40) < 1e-9 && abs(record().bandwidth - 0.01) < 1e-12)
    one.bytes = 80_000
    #expect(record().limit == .copy(level: "L2") && abs(record().share - 0.8) < 1e-12)
    one.flops = 0
    #expect(record().gflops == nil && record().limit == .copy(level: "L2"))
  }

  @Test("a copy is measured once for each size, and named by the cache that holds it")
  func copies() {
    let yardsticks = Yardsticks(KernelTimer(budget: 1e-4), caches: [1024, 65536])
    #expect(yardsticks.level(footprint: 1024) == "L1")
    #expect(yardsticks.level(footprint: 1025) == "L2")
    #expect(yardsticks.level(footprint: 65537) == "memory")
    #expect(yardsticks.copy(footprint: 4096) == yardsticks.copy(footprint: 4096))
    #expect(yardsticks.arithmetic(KernelSet(.baseline)) > 0)
  }
}
