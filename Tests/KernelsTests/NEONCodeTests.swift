import Foundation
import TestSupport
import Testing

/// What the compiler makes of the kernels for arm64.
@Suite(
  .thorough,
  .enabled(
    if: NEONCode.obstacle == nil,
    "this toolchain has no code for arm64 to look at: \(NEONCode.obstacle ?? "")"))
struct NEONCodeTests {
  @Test(
    "a step of a product's tile is a multiply-add a sum, and sums stay in registers",
    arguments: ["Rows", "Columns", "Shards"], [1, 2])
  func tiles(form: String, vectors: Int) throws {
    let loops = try NEONCode.kernels.get().loops.filter {
      $0.function.contains("4Tile") && $0.function.contains("multiply\(form)\(vectors)")
        && $0.multiplyAdds > 0
    }
    // A function for each height.
    #expect(loops.map(\.multiplyAdds).sorted() == (1...12).map { $0 * vectors })
    for loop in loops {
      #expect(loop.stackAccesses == 0 && loop.calls == 0, "\(loop.function)")
      // A load for each row, one or two of the right operand, and of the rest a few, or, with one
      // vector, up to a row's address each.
      let rows = loop.multiplyAdds / vectors
      let most = loop.multiplyAdds + (vectors == 2 ? 1 : 2) * rows + 7
      #expect(loop.instructions.count <= most, "\(loop.function)")
    }
  }

  @Test(
    "sums of convolutions in pairs stay in registers",
    arguments: ["multiplyWindows", "multiplyElements"])
  func pairs(form: String) throws {
    let loops = try NEONCode.kernels.get().loops.filter {
      $0.function.contains("8PairTile") && $0.function.contains(form) && $0.multiplyAdds > 0
    }
    #expect(loops.map(\.multiplyAdds).sorted() == Array(1...16))
    for loop in loops { #expect(loop.stackAccesses == 0 && loop.calls == 0, "\(loop.function)") }
  }

  @Test("the loop that measures the peak has nothing but multiply-adds")
  func peak() throws {
    let loops = try NEONCode.kernels.get().loops.filter {
      $0.function.contains("repeatMultiplyAdd") && $0.multiplyAdds > 0
    }
    #expect(loops.map(\.multiplyAdds) == [24])
    // And a count and a branch.
    #expect(loops.map(\.instructions.count) == [26])
  }

  @Test("no loop with multiply-adds calls anything: a call drives constants out of registers")
  func calls() throws {
    let loops = try NEONCode.kernels.get().loops.filter { $0.multiplyAdds > 0 }
    #expect(loops.contains { $0.function.contains("exponentialOfAll") })
    #expect(loops.filter { $0.calls > 0 }.map(\.function) == [])
  }

  @Test("kernels call functions that copy and clear memory, and none for arithmetic")
  func functions() throws {
    let code = try NEONCode.kernels.get()
    let calls = code.functions.flatMap(\.lines).filter { $0[0] == "bl" || $0[0] == "b" }
      .map { $0[1] }.filter { !$0.hasPrefix(".L") && !$0.hasPrefix("$e") }
    #expect(calls.contains("memset"))
    #expect(
      Set(calls).isSubset(of: [
        "memcpy", "memmove", "memset", "posix_memalign", "free", "__stack_chk_fail",
      ]), "\(Set(calls))")
  }

  @Test(
    "square roots and conversions of float16 are taken a vector at a time",
    arguments: ["fsqrt", "fcvtl", "fcvtn"])
  func instructions(mnemonic: String) throws {
    let lines = try NEONCode.kernels.get().functions.flatMap(\.lines)
    #expect(lines.contains { $0[0] == mnemonic && $0[1].hasPrefix("v") })
  }
}
