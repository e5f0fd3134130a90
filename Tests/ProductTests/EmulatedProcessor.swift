#if arch(x86_64) && os(Linux)
  import Foundation
  import Kernels
  import TestSupport

  /// A model of CPU that `qemu-x86_64` emulates, instruction by instruction: one that the model does
  /// not have ends a program by SIGILL.
  enum EmulatedProcessor: String, Sendable {
    /// SSE4.2, and no AVX (2008).
    case nehalem = "Nehalem"
    /// AVX2 and fused multiply-add, and no AVX-512 (2013).
    case haswell = "Haswell"

    /// The newest kernels that it can run.
    var kernels: InstructionSet {
      switch self {
      case .nehalem: .baseline
      case .haswell: .avx2
      }
    }

    /// The words that run a program on it.
    func running(_ words: [String]) -> [String] { ["qemu-x86_64", "-cpu", rawValue] + words }

    /// Why nothing can be compared here; nil if it can.
    static let obstacle: String? = {
      guard InstructionSet.avx2.isSupported else { return "this CPU has no AVX2 itself" }
      guard (try? Command(["qemu-x86_64", "--version"]).run().status) == 0 else {
        return "needs qemu-x86_64, of Debian's package qemu-user"
      }
      return nil
    }()

    /// An executable file in ELF's format, whose program is one instruction of AVX2 and the end,
    /// with exit code 0.
    static let avx2Program: [UInt8] = {
      let code: [UInt8] = [
        0xC5, 0xFD, 0xEF, 0xC0,  // vpxor ymm0, ymm0, ymm0
        0xB8, 60, 0, 0, 0,  // mov eax, SYS_exit
        0x31, 0xFF,  // xor edi, edi
        0x0F, 0x05,  // syscall
      ]
      let (start, headers) = (0x40_0000, 64 + 56)
      /// Numbers of so many bytes, the lowest byte first.
      func fields(_ bytes: Int, _ values: Int...) -> [UInt8] {
        values.flatMap { value in (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) } }
      }
      var fileHeader: [UInt8] =
        [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1] + fields(1, 0, 0, 0, 0, 0, 0, 0, 0, 0)
      // An executable for x86-64.
      fileHeader += fields(2, 2, 62) + fields(4, 1)
      // Where the program and the segment's header begin.
      fileHeader += fields(8, start + headers, 64, 0) + fields(4, 0)
      fileHeader += fields(2, 64, 56, 1, 0, 0, 0)
      // To be loaded as a whole, for reading and execution.
      let size = headers + code.count
      let segment = fields(4, 1, 5) + fields(8, 0, start, start, size, size, 4096)
      return fileHeader + segment + code
    }()
  }
#endif
