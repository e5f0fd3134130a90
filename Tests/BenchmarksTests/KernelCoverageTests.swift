import CKernels
import CRecorders
import Testing

@testable import Benchmarks
@testable import Kernels

/// Which kernels the cases of `lockstep bench kernels` call: all functions of a kernel set's table are
/// exchanged for recorders, and every case is called once.
@Suite(.serialized)  // they share the recorders
struct KernelCoverageTests {
  /// The words of a table, each with its path such as `losses.huber`: every member takes one, or this
  /// would count them wrong.
  private static func members(of table: CKernelTable) -> [String] {
    func leaves(_ value: Any, _ path: String) -> [String] {
      let children = Mirror(reflecting: value).children
      guard !children.isEmpty else { return [path] }
      return children.flatMap { child in
        leaves(child.value, path.isEmpty ? child.label! : "\(path).\(child.label!)")
      }
    }
    return leaves(table, "")
  }

  /// The members that are functions: other ones are small numbers.
  private static func functions(of table: CKernelTable) -> [Int] {
    withUnsafeBytes(of: table) { bytes in
      let words = bytes.bindMemory(to: UInt.self)
      return words.indices.filter { words[$0] > 1 << 16 }
    }
  }

  /// The kernels of a set that none of `cases` calls.
  private static func missing(_ set: InstructionSet, in cases: [KernelCase]) -> [String] {
    var table = KernelSet.table(of: set)
    let members = members(of: table)
    #expect(members.count * MemoryLayout<UInt>.size == MemoryLayout<CKernelTable>.size)
    let functions = functions(of: table)
    #expect(functions.count > 80 && functions.count <= CRecorders_count)
    withUnsafeMutableBytes(of: &table) { bytes in
      let words = bytes.bindMemory(to: UnsafeRawPointer.self)
      for (number, place) in functions.enumerated() {
        words[place] = CRecorders_address(Int32(number))
      }
    }
    let recorders = KernelSet(set, table: table)
    var missing = Set(functions.indices)
    func record(_ call: () -> Void) {
      CRecorders_reset()
      call()
      missing = missing.filter { !CRecorders_wasCalled(Int32($0)) }
    }
    for one in cases {
      // What is called to prepare it is not timed.
      let prepared = one.prepare(recorders)
      record(prepared.call)
    }
    // The peak, by which the others are judged.
    record { _ = Yardsticks(KernelTimer(budget: 1e-4), caches: []).arithmetic(recorders) }
    return missing.sorted().map { members[functions[$0]] }
  }

  private static var cases: [KernelCase] {
    KernelCase.all(KernelSizes(caches: [16 << 10, 128 << 10, 64 << 10]))
  }

  @Test("every kernel of a table is timed by a case", arguments: InstructionSet.supported)
  func everyKernel(set: InstructionSet) {
    #expect(KernelCoverageTests.missing(set, in: KernelCoverageTests.cases) == [])
  }

  @Test("a kernel without a case is named")
  func withoutCase() {
    let others = KernelCoverageTests.cases.filter { $0.group != .random && $0.kernel != "huber" }
    #expect(
      KernelCoverageTests.missing(.baseline, in: others)
        == ["losses.huber", "random.words", "random.dropout"])
  }
}
