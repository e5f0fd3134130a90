import CKernels
import KernelsBaseline

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

/// The arithmetic of one rank: the kernels of one instruction set, and the scratch memory in which
/// the blocked ones pack their operands. Results depend on the instruction set and on shapes only.
///
/// Scratch grows to the largest shape seen and stays, so an instance serves one thread.
public final class KernelSet {
  public let instructions: InstructionSet
  let table: CKernelTable

  let packedLeft = Scratch()
  let packedRight = Scratch()
  let partialSums = Scratch()
  let patches = Scratch()
  var convolutions: [Convolution.Dimensions: Convolution] = [:]
  let indices = IndexScratch()

  /// - Precondition: the CPU supports `instructions`.
  public convenience init(_ instructions: InstructionSet) {
    precondition(instructions.isSupported, "this CPU has no \(instructions)")
    self.init(instructions, table: KernelSet.table(of: instructions))
  }

  /// With kernels in place of the set's own.
  init(_ instructions: InstructionSet, table: CKernelTable) {
    self.instructions = instructions
    self.table = table
  }

  static func table(of instructions: InstructionSet) -> CKernelTable {
    #if arch(x86_64)
      switch instructions {
      case .baseline: KernelsBaseline.kernelTable()
      case .avx2: KernelsAVX2.kernelTable()
      case .avx512: KernelsAVX512.kernelTable()
      }
    #else
      KernelsBaseline.kernelTable()
    #endif
  }
}

/// Memory that grows to the largest request and is not given back.
final class Scratch {
  private var buffer = AlignedBuffer(count: 0)

  /// Room for `count` floats of undefined value, valid until the next request.
  func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
    if buffer.count < count { buffer = AlignedBuffer(count: count) }
    return buffer.base
  }
}
