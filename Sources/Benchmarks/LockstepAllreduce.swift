import Collective
import Kernels
import MPI

/// This package's allreduce, as the benchmark sees it: the memory that it likes best, and the
/// candidates that it enters.
final class LockstepAllreduce {
  private let group: ProcessGroup
  let kernels: InstructionSet

  /// Ends the names of candidates of a group whose sums may be added up in any order.
  static let anyOrder = "/any-order"
  /// Ends the names of candidates of a group whose ranks do not compare their calls.
  static let unchecked = "/unchecked"

  /// Collective. All ranks compute with the newest kernels that every one of them has.
  /// - Parameter log: is told what the group chooses, on rank 0.
  /// - Throws: `UnusableInstructionSet`; what `ProcessGroup` throws.
  init(
    _ world: Communicator, _ transport: AllreduceOptions.TransportChoice,
    environment: [String: String], canonical: Bool = true, checksCalls: Bool = true,
    log: ((String) -> Void)? = nil
  ) throws {
    let sets = InstructionSet.allCases
    let own = sets.firstIndex(of: try InstructionSet.selected(by: environment))!
    kernels = sets[Int(try world.allgather([UInt8(own)]).map { $0[0] }.min()!)]
    var options = ProcessGroup.Options()
    options.usesSharedMemory = transport == .auto
    options.isCanonical = canonical
    options.checksCalls = checksCalls
    options.choice = .measured
    options.log = log
    group = try ProcessGroup(
      MPITransport(world), options: options, kernels: KernelSet(kernels))
  }

  var nodes: NodeMap { group.nodes }
  var sharesMemory: Bool { group.sharesMemory }

  /// Memory in the node's shared window, or what the group has in its place. Collective.
  func allocateWindow(byteCount: Int) throws -> UnsafeMutableRawBufferPointer {
    let stride = MemoryLayout<Float>.stride
    return UnsafeMutableRawBufferPointer(
      try group.allocate(Float.self, count: (byteCount + stride - 1) / stride))
  }

  /// Candidates for each method, nil being the group's choice. Those that can use shared memory
  /// take part twice: with their buffers in the shared window, and in ordinary memory.
  func candidates<Element: BenchmarkElement>(
    _ methods: [AllreduceMethod?], _ choice: ReductionChoice, of type: Element.Type
  ) -> [Candidate] {
    let reduction = choice.reduction(of: type)
    return methods.flatMap { method in
      let canShare = group.sharesMemory && (method == nil || method == .hierarchical)
      return (canShare ? [true, false] : [false]).map { usesWindow in
        func elements(
          _ buffer: UnsafeMutableRawPointer, _ count: Int
        ) -> UnsafeMutableBufferPointer<Element> {
          .init(start: buffer.assumingMemoryBound(to: type), count: count)
        }
        return Candidate(
          name: (method?.rawValue ?? "auto") + (usesWindow ? "/window" : "/private"),
          kind: .lockstep, usesWindow: usesWindow,
          outOfPlace: { [group] source, target, count in
            let source = UnsafeBufferPointer(
              start: source.assumingMemoryBound(to: type), count: count)
            try group.allreduce(source, into: elements(target, count), reduction, method)
          },
          inPlace: { [group] buffer, count in
            try group.allreduce(elements(buffer, count), reduction, method)
          })
      }
    }
  }
}

extension ReductionChoice {
  fileprivate func reduction<Element: Reducible>(of type: Element.Type) -> Reduction<Element> {
    switch self {
    case .sum: .sum
    case .average: .average
    case .minimum: .minimum
    case .maximum: .maximum
    case .product: .product
    }
  }
}
