import CCPU
import CKernels
import KernelsBaseline

#if arch(x86_64)
  import KernelsAVX2
  import KernelsAVX512
#endif

/// The arithmetic of one rank: the kernels of one instruction set, and the scratch memory in which
/// the blocked ones pack their operands. Results depend on the instruction set and on shapes only.
///
/// Scratch grows to the largest shape seen and stays, so an instance serves one thread: the one that
/// calls. It may have others help it; what they do never shows in a result.
public final class KernelSet {
  public let instructions: InstructionSet
  let table: CKernelTable
  /// The threads that share large operations; nil where there is only the caller.
  let pool: ThreadPool?
  /// For each thread but the caller: the same kernels with scratch of its own.
  let helpers: [KernelSet]
  /// Whether work is divided however little it is: for tests of the divisions.
  var dividesLittleWork = false

  let packedLeft = Scratch()
  let packedRight = Scratch()
  let partialSums = Scratch()
  let patches = Scratch()
  let batchSums = Scratch()
  var convolutions: [Convolution.Dimensions: Convolution] = [:]
  let subtreeSums = Scratch()
  let indices = IndexScratch()

  /// The kernels for one thread.
  /// - Precondition: the CPU supports `instructions`.
  public convenience init(_ instructions: InstructionSet) { self.init(instructions, threads: 1) }

  /// - Parameters:
  ///   - threads: that work on large operations, the caller's included. They live as long as the
  ///     instance; fewer where the system has no more.
  ///   - coresAreShared: whether others want the same cores, so that idle threads must not spin.
  /// - Precondition: the CPU supports `instructions`, and `threads` is positive.
  public convenience init(
    _ instructions: InstructionSet, threads: Int, coresAreShared: Bool = false
  ) {
    precondition(instructions.isSupported, "this CPU has no \(instructions)")
    let pool =
      threads == 1
      ? nil
      : ThreadPool(
        threads: threads, spins: !coresAreShared && threads <= Int(CCPU_usableProcessorCount()))
    self.init(instructions, table: KernelSet.table(of: instructions), pool: pool)
  }

  /// With kernels in place of the set's own.
  init(_ instructions: InstructionSet, table: CKernelTable, pool: ThreadPool? = nil) {
    self.instructions = instructions
    self.table = table
    self.pool = pool
    helpers = (1..<(pool?.count ?? 1)).map { _ in KernelSet(instructions, table: table) }
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

  /// Room for sums over a batch that is on its way to other ranks: `count` floats of undefined value,
  /// valid until the next request.
  public func reserveBatchSums(_ count: Int) -> UnsafeMutablePointer<Float> {
    batchSums.reserve(count)
  }
}

/// Memory that grows to the largest request and is not given back.
final class Scratch {
  private var buffer = AlignedBuffer(count: 0)

  var count: Int { buffer.count }

  /// Room for `count` floats of undefined value, valid until the next request.
  func reserve(_ count: Int) -> UnsafeMutablePointer<Float> {
    if buffer.count < count { buffer = AlignedBuffer(count: count) }
    return buffer.base
  }
}
