import Collective
import Kernels
import MPI

/// This package's allreduce, as the benchmark sees it: what it can reduce, the memory it likes best, and
/// the candidates that it enters.
final class LockstepAllreduce {
  private let executor: ScheduleExecutor
  private let node: Communicator
  private let size: Int
  let kernels: InstructionSet

  /// Collective. All ranks compute with the newest kernels that every one of them has.
  /// - Throws: `UnusableInstructionSet`; `MPIError`.
  init(
    _ world: Communicator, _ transport: AllreduceOptions.TransportChoice,
    environment: [String: String]
  ) throws {
    let sets = InstructionSet.allCases
    let own = sets.firstIndex(of: try InstructionSet.selected(by: environment))!
    kernels = sets[Int(try world.allgather([UInt8(own)]).map { $0[0] }.min()!)]
    executor = ScheduleExecutor(over: try MPITransport(world), kernels: KernelSet(kernels))
    node = try world.splitByNode()
    size = world.size
  }

  /// Whether it can reduce numbers of this type in this way.
  static func supports(_ type: ElementType, _ reduction: ReductionChoice) -> Bool {
    type == .float32 && (reduction == .sum || reduction == .average)
  }

  /// Memory in the node's shared window, on a 64-byte boundary; it lives until MPI ends. Collective.
  func allocateWindow(byteCount: Int) throws -> UnsafeMutableRawBufferPointer {
    let window = try SharedWindow(byteCount: byteCount + 64, on: node)
    let segment = window.segments[node.rank]
    let base = segment.baseAddress!.alignedUp(toMultipleOf: 64)
    return UnsafeMutableRawBufferPointer(start: base, count: byteCount)
  }

  /// Two candidates for each algorithm, nil being the choice by size: with the result in the shared
  /// window, and in ordinary memory.
  func candidates<Element: BenchmarkElement>(
    _ algorithms: [AllreduceAlgorithm?], _ reduction: ReductionChoice, of type: Element.Type
  ) -> [Candidate] {
    precondition(LockstepAllreduce.supports(type.elementType, reduction))
    return algorithms.flatMap { algorithm in
      [true, false].map { usesWindow in
        let inPlace = { [self] (buffer: UnsafeMutableRawPointer, count: Int) in
          let floats = UnsafeMutableBufferPointer(
            start: buffer.assumingMemoryBound(to: Float.self), count: count)
          try allreduce(floats, reduction, algorithm)
        }
        return Candidate(
          name: (algorithm?.rawValue ?? "auto") + (usesWindow ? "/window" : "/private"),
          kind: .lockstep, usesWindow: usesWindow,
          outOfPlace: { source, target, count in
            target.copyMemory(from: source, byteCount: count * type.byteCount)
            try inPlace(target, count)
          }, inPlace: inPlace)
      }
    }
  }

  private func allreduce(
    _ buffer: UnsafeMutableBufferPointer<Float>, _ reduction: ReductionChoice,
    _ algorithm: AllreduceAlgorithm?
  ) throws {
    let choice =
      algorithm
      ?? .choice(byteCount: buffer.count * MemoryLayout<Float>.stride, size: size, canonical: false)
    try executor.allreduce(buffer, choice)
    if reduction == .average { Float.average(buffer, ranks: size) }
  }
}
