#if arch(x86_64) && os(Linux)
  import Foundation
  import Testing
  import TestSupport

  /// What the compiler made of the kernel modules. A function that is compiled for a newer CPU and
  /// shared between modules - a weak symbol - may be picked by the linker for everyone: an illegal
  /// instruction on an older CPU, in code that never asked for the new set.
  struct ObjectCodeTests {
    static let modules = ["KernelsBaseline", "KernelsAVX2", "KernelsAVX512"]

    /// The module's objects, in the build folder beside the test bundle.
    private static func objects(of module: String) -> [String] {
      let bundle = URL(fileURLWithPath: Location.product("lockstepPackageTests.xctest"))
      let folder = bundle.deletingLastPathComponent().path + "/\(module).build"
      let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
      return names.filter { $0.hasSuffix(".o") }.sorted().map { "\(folder)/\($0)" }
    }

    private static func canRead(with tool: String) -> Bool {
      let found = try? Command([tool, "--version"]).run().status == 0
      return found == true && modules.allSatisfy { !objects(of: $0).isEmpty }
    }

    /// The words of each line of `tool`'s output about a module's objects.
    private func lines(_ tool: [String], _ module: String) throws -> [[Substring]] {
      let result = try Command(tool + ObjectCodeTests.objects(of: module)).run()
      try #require(result.status == 0, "\(result.errors)")
      return result.output.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }
    }

    @Test(
      "kernel modules share no weak function with any other module",
      .enabled(if: canRead(with: "nm"), "needs nm, and the objects of a build by SwiftPM"),
      arguments: modules)
    func weakFunctions(module: String) throws {
      let own = "$s\(module.utf8.count)\(module)"
      let weak = try lines(["nm"], module).filter { $0.count == 3 && $0[1] == "W" }.map { $0[2] }
      #expect(weak.contains { $0.hasPrefix(own) }, "no weak function at all: is this nm's output?")
      #expect(weak.filter { !$0.hasPrefix(own) } == [])
    }

    @Test(
      "an optimizer's update is part of its loop: no function is left for the loop to call",
      .enabled(if: canRead(with: "nm"), "needs nm, and the objects of a build by SwiftPM"),
      arguments: modules)
    func inlinedUpdates(module: String) throws {
      let names = try lines(["nm"], module).compactMap { $0.count == 3 ? $0[2] : nil }
      #expect(names.contains { $0.contains("9lambNorms") })
      // How Swift mangles local functions and closures, here of 'update' and 'add'.
      let parts = ["6updateL_", "3addL_", "XEfU_"]
      #expect(names.filter { name in parts.contains { name.contains($0) } } == [])
    }

    @Test(
      "each kernel set uses the registers and instructions of its own CPUs only",
      .enabled(
        if: canRead(with: "objdump"), "needs objdump, and the objects of a build by SwiftPM"),
      arguments: modules)
    func instructions(module: String) throws {
      let words = try lines(["objdump", "-d", "--no-show-raw-insn"], module)
      func count(_ register: String) -> Int {
        words.count { $0.contains { $0.contains(register) } }
      }
      #expect(count("%xmm") > 0)
      #expect((count("%ymm") > 0) == (module != "KernelsBaseline"))
      #expect((count("%zmm") > 0) == (module == "KernelsAVX512"))
      // AVX-512 on short vectors: mask registers, and the upper half of the register file.
      if module != "KernelsAVX512" { #expect(count("%k") == 0 && count("mm16") == 0) }
      // "address: mnemonic operands". In the baseline's reach only VEX and EVEX instructions begin
      // with v.
      let mnemonics = words.compactMap { $0.count > 1 && $0[0].hasSuffix(":") ? $0[1] : nil }
      #expect(mnemonics.contains { $0.hasPrefix("mov") })
      #expect(mnemonics.contains { $0.hasPrefix("v") } == (module != "KernelsBaseline"))
    }

    @Test(
      "multiply-add is one instruction where the CPU has it, and never a call to fmaf",
      .enabled(
        if: canRead(with: "objdump"), "needs objdump, and the objects of a build by SwiftPM"),
      arguments: modules)
    func multiplyAdd(module: String) throws {
      let words = try lines(["objdump", "-dr", "--no-show-raw-insn"], module)
      let fused = words.count { $0.count > 1 && $0[1].hasPrefix("vfmadd") }
      // Each of the tile's accumulators at least.
      #expect(module == "KernelsBaseline" ? fused == 0 : fused >= 12)
      #expect(!words.contains { $0.contains { $0.hasPrefix("fma") } })
    }

    /// A function that is not inlined into a kernel's loop is called once per vector, and its
    /// arguments pass through memory.
    @Test(
      "kernels' loops call functions that copy and clear memory, and no others",
      .enabled(
        if: canRead(with: "objdump"), "needs objdump, and the objects of a build by SwiftPM"),
      arguments: modules)
    func calls(module: String) throws {
      let memory = ["memcpy", "memset", "memmove", "__stack_chk_fail", "$sSv10copyMemory"]
      // For the root of a negative number: all others are the CPU's. Once per row: the parts of
      // softmax, the gradient of pooling. Twice per call: sums of rows. Long enough for a call: a term
      // of binary cross-entropy, a tile of a product. Of the module's own, named or by their section:
      // partial vectors.
      let other = [
        "sqrtf", "maximum", "exponentials", "binaryCrossEntropy", "multiply", "load", "fill",
        "sumRowsApart", ".text",
      ]
      var function: Substring = ""
      var calls: Set<String> = []
      for words in try lines(["objdump", "-dr", "--no-show-raw-insn"], module) {
        if words.count == 2, words[1].hasSuffix(">:") { function = words[1] }
        // A thunk for C (To) is a jump to its kernel.
        guard words.count > 2, words[1].hasPrefix("R_X86_64_PLT"), !function.hasSuffix("To>:")
        else { continue }
        if !memory.contains(where: words[2].hasPrefix) && !other.contains(where: words[2].contains)
        {
          calls.insert("\(function) \(words[2])")
        }
      }
      #expect(!function.isEmpty && calls == [])
    }

    @Test(
      "square roots are taken a vector at a time, and never by a call to sqrtf",
      .enabled(
        if: canRead(with: "objdump"), "needs objdump, and the objects of a build by SwiftPM"),
      arguments: modules)
    func squareRoots(module: String) throws {
      let words = try lines(["objdump", "-dr", "--no-show-raw-insn"], module)
      #expect(words.contains { $0.count > 1 && $0[1].hasSuffix("sqrtps") })
      #expect(!words.contains { $0.contains { $0.hasPrefix("sqrtf") } })
    }

    @Test(
      "float16 is converted by F16C where the CPU has it, and never by calls to a library",
      .enabled(
        if: canRead(with: "objdump"), "needs objdump, and the objects of a build by SwiftPM"),
      arguments: modules)
    func halfPrecision(module: String) throws {
      let words = try lines(["objdump", "-dr", "--no-show-raw-insn"], module)
      for conversion in ["vcvtph2ps", "vcvtps2ph"] {
        let isUsed = words.contains { $0.count > 1 && $0[1] == conversion }
        #expect(isUsed == (module != "KernelsBaseline"), "\(conversion)")
      }
      // __extendhfsf2 and __truncsfhf2 (GCC: __gnu_h2f_ieee and __gnu_f2h_ieee).
      for call in ["hfsf2", "sfhf2", "h2f_ieee", "f2h_ieee"] {
        #expect(!words.contains { $0.contains { $0.contains(call) } }, "\(call)")
      }
    }
  }
#endif
