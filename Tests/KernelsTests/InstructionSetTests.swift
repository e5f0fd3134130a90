import Testing

@testable import Kernels

struct InstructionSetTests {
  @Test("every CPU has the baseline, and sets are ordered from old to new")
  func order() {
    #expect(InstructionSet.supported.first == .baseline)
    #expect(InstructionSet.allCases == [.baseline, .avx2, .avx512])
    #expect(InstructionSet.allCases.sorted() == InstructionSet.allCases)
    #expect(!(InstructionSet.avx512 < .avx2) && InstructionSet.baseline < .avx2)
    // AVX-512 is on top of AVX2.
    if InstructionSet.avx512.isSupported { #expect(InstructionSet.avx2.isSupported) }
  }

  @Test(
    "without a wish the newest set is taken",
    arguments: [[:], ["LOCKSTEP_KERNELS": ""], ["KERNELS": "baseline"]] as [[String: String]])
  func newest(environment: [String: String]) throws {
    #expect(try InstructionSet.selected(by: environment) == InstructionSet.supported.last)
  }

  @Test("LOCKSTEP_KERNELS names a set", arguments: InstructionSet.supported)
  func named(instructions: InstructionSet) throws {
    let environment = ["LOCKSTEP_KERNELS": instructions.rawValue]
    #expect(try InstructionSet.selected(by: environment) == instructions)
    #expect(KernelSet(instructions).instructions == instructions)
  }

  @Test("an unknown name is an error that lists the usable ones", arguments: ["avx1024", "AVX2"])
  func unknown(name: String) {
    let error = #expect(throws: UnusableInstructionSet.self) {
      try InstructionSet.selected(by: ["LOCKSTEP_KERNELS": name])
    }
    let usable = InstructionSet.supported.map(\.rawValue).joined(separator: ", ")
    #expect(
      error?.description
        == "LOCKSTEP_KERNELS=\(name): no such kernel set; this CPU can run \(usable)")
  }

  @Test("the message for a set that the CPU lacks says so")
  func unsupportedMessage() {
    let message = UnusableInstructionSet(name: "avx512").description
    #expect(message.hasPrefix("LOCKSTEP_KERNELS=avx512: this CPU has no avx512; it can run base"))
  }

  @Test(
    "a set that the CPU lacks is refused",
    .enabled(if: InstructionSet.supported != InstructionSet.allCases, "this CPU has every set"))
  func unsupported() {
    for set in InstructionSet.allCases where !set.isSupported {
      #expect(throws: UnusableInstructionSet.self) {
        try InstructionSet.selected(by: ["LOCKSTEP_KERNELS": set.rawValue])
      }
    }
  }

  @Test("each set's register tile has a size of its own, and sets differ in lanes")
  func tiles() {
    let columns = InstructionSet.supported.map { KernelSet($0).table.products.tileColumns }
    #expect(columns == columns.sorted() && Set(columns).count == columns.count)
  }
}
