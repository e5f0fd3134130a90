import Foundation
import TestSupport

/// The kernels as compiled for arm64, in assembly language. Embedded Swift needs no system to
/// compile for, and a toolchain has it for other CPUs than its own. Its code for the kernels is that
/// of Linux, but that it copies memory in a loop where Linux calls `memmove`.
struct NEONCode {
  /// A function's instructions, each a mnemonic and its operands, and labels, which end in a colon.
  struct Function {
    var name: String
    var lines: [[Substring]] = []
  }

  /// The instructions of a loop that has no other in it.
  struct Loop {
    var function: String
    var instructions: [[Substring]]

    func count(_ mnemonic: String) -> Int { instructions.count { $0[0] == mnemonic } }
    var multiplyAdds: Int { count("fmla") }
    var calls: Int { count("bl") + count("blr") }
    /// Instructions that read or write what lies on the stack.
    var stackAccesses: Int {
      instructions.count { $0.contains { $0.hasPrefix("[sp") || $0.hasPrefix("[x29") } }
    }
  }

  var functions: [Function] = []

  private static let target = [
    "swiftc", "-enable-experimental-feature", "Embedded", "-target", "aarch64-none-none-elf",
    "-wmo", "-parse-as-library", "-emit-assembly",
  ]

  /// Why there is no code to look at here; nil if there is.
  static let obstacle: String? = {
    #if compiler(<6.3)
      return "Swift 6.2 stores the sums of a tile at every step"
    #else
      do {
        let folder = try TemporaryDirectory()
        let source = try folder.file("source.swift", "func f() {}")
        let result = try Command(target + [source, "-o", "\(folder.path)/code.s"]).run()
        return result.status == 0 ? nil : result.errors
      } catch {
        return "\(error)"
      }
    #endif
  }()

  /// The code of the kernels that every CPU for arm64 can run: `KernelsBaseline` with the flags of
  /// the package.
  static let kernels = Result { try NEONCode() }

  private init() throws {
    let folder = try TemporaryDirectory()
    let sources = Location.package + "/Sources"
    let files = try FileManager.default.contentsOfDirectory(atPath: sources + "/KernelsBaseline")
      .filter { $0.hasSuffix(".swift") }.sorted()
    let result = try Command(
      Self.target + [
        "-Ounchecked", "-Xcc", "-fno-math-errno", "-module-name", "KernelsBaseline",
        "-I", sources + "/CKernels", "-o", "\(folder.path)/code.s",
      ] + files.map { "\(sources)/KernelsBaseline/\($0)" }, timeLimit: 300
    ).run()
    guard result.status == 0 else { throw CompilationFailure(errors: result.errors) }
    let code = try String(contentsOfFile: "\(folder.path)/code.s", encoding: .utf8)
    for line in code.split(separator: "\n") {
      let words = line.prefix { $0 != "/" }.split { $0.isWhitespace || $0 == "," }
      guard let first = words.first else { continue }
      if first.hasPrefix("$e"), first.hasSuffix(":") {
        functions.append(Function(name: String(first.dropLast())))
      } else if !first.hasPrefix(".") || first.hasSuffix(":"), !functions.isEmpty {
        functions[functions.count - 1].lines.append(words)
      }
    }
  }

  struct CompilationFailure: Error {
    var errors: String
  }

  var loops: [Loop] { functions.flatMap(\.loops) }
}

extension NEONCode.Function {
  /// From a label to the last branch back to it.
  fileprivate var loops: [NEONCode.Loop] {
    var places: [Substring: Int] = [:]
    var ends: [Int: Int] = [:]
    for (i, words) in lines.enumerated() {
      if words[0].hasSuffix(":") {
        places[words[0].dropLast()] = i
      } else if let label = words.last, label.hasPrefix(".L"), let start = places[label] {
        ends[start] = i
      }
    }
    return ends.filter { start, end in
      !ends.contains { $0 != start && $0 >= start && $1 <= end }
    }.sorted { $0.key < $1.key }.map { start, end in
      NEONCode.Loop(
        function: name, instructions: lines[start...end].filter { !$0[0].hasSuffix(":") })
    }
  }
}
