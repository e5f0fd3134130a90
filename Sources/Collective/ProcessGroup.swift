import Foundation
import Kernels
import MPI

/// The ranks of a job and everything that they need for collectives: messages, memory that the
/// ranks of a node share, and the calls that are under way.
///
/// All ranks make the same calls in the same order; several may be under way at once. A call's
/// memory is made when its size first occurs, and kept. One instance is used by one thread.
public final class ProcessGroup {
  public let transport: any Transport
  public let options: Options
  /// Which ranks share memory.
  public let nodes: NodeMap
  /// This rank's number, and how many ranks there are.
  public let rank: Int
  public let size: Int
  private let kernels: KernelSet
  private let scratch = ReductionScratch()
  /// The two above, which it does not keep.
  private let reducerMeans: Reducer.Means

  private let memory: GroupMemory
  /// One for each rank, of what has no other data.
  private let marks: UnsafeMutableBufferPointer<Int32>
  let executor: ScheduleExecutor
  /// This rank's node, where ranks share memory, and its way to the others.
  let node: NodeGroup?
  let across: CrossNode?
  /// Where all ranks share one node's memory; the group's own, not counted at every use.
  let lone: Unmanaged<LoneAllreduce>?
  private let chooser: MethodChooser
  /// The order of sums of planes; nil where it is the canonical one over ranks, and each has one.
  let tree: SumTree?
  private let planeChooser: MethodChooser?
  let spins: Int
  /// What waits have found out about this rank's core. Where ranks outnumber cores it is they who take
  /// turns, and nil.
  let core: UnsafeMutablePointer<CoreUse>?

  var inFlight: [CollectiveOperation] = []
  var idle: [CollectiveOperation] = []
  var idleNodeRuns: [NodeAllreduce] = []
  lazy var rollCall = RollCall(over: transport)
  var started = 0

  // MPI guarantees tags up to 32767.
  private static let messageTags = 0..<16_000
  private static let crossNodeTags = 16_000..<32_000

  /// The ranks of `communicator`, which is duplicated. Collective.
  public convenience init(_ communicator: Communicator, options: Options = Options()) throws {
    try self.init(MPITransport(communicator), options: options)
  }

  /// The ranks that `transport` joins. Collective; ranks that do not come to it are named after
  /// `options.timeLimit` (`RankMissing`). A transport serves one group at a time.
  /// - Parameter kernels: those of the best instruction set that this CPU has, if not given.
  public init(
    _ transport: any Transport, options: Options = Options(), kernels: KernelSet? = nil
  ) throws {
    self.transport = transport
    (rank, size) = (transport.rank, transport.size)
    self.options = options
    self.kernels = kernels ?? KernelSet(InstructionSet.supported.last!)
    reducerMeans = Reducer.Means(self.kernels, scratch)
    try awaitAllRanks(over: transport, options)
    nodes = try transport.nodeMap()
    memory = GroupMemory(of: transport, warn: options.warn)
    marks = UnsafeMutableBufferPointer(
      start: memory.allocatePrivate(byteCount: size * MemoryLayout<Int32>.stride)
        .bindMemory(to: Int32.self, capacity: size), count: size)
    chooser = MethodChooser(
      nodes: nodes, isCanonical: options.isCanonical,
      log: transport.rank == 0 ? options.log : nil)
    let tree = options.tree.flatMap { $0.isOfRanks ? nil : $0 }
    precondition(tree == nil || tree!.ranks == transport.size)
    self.tree = tree
    planeChooser = tree.map { [nodes] in
      MethodChooser(
        nodes: nodes, isCanonical: true, log: transport.rank == 0 ? options.log : nil, along: $0)
    }
    executor = ScheduleExecutor(
      over: transport, tags: ProcessGroup.messageTags, segmentSize: options.segmentSize, tree: tree)
    let members = nodes.nodes[nodes.node(of: transport.rank)]
    let neighbours = transport.machineSize ?? members.count
    spins = neighbours <= ProcessInfo.processInfo.activeProcessorCount ? Backoff.shortSpin : 0
    core = spins > 0 ? .allocate(capacity: 1) : nil
    core?.initialize(to: CoreUse())
    (node, across) =
      options.usesSharedMemory && nodes.size > 1
      ? try ProcessGroup.join(
        members, nodes, over: transport, memory, tree, options, chooser, planeChooser) : (nil, nil)
    lone = across == nil ? node.map { .passRetained(LoneAllreduce(on: $0)) } : nil
    try chooser.prepare(
      options.choice, over: transport, kernels: self.kernels, sharesMemory: sharesMemory,
      warn: transport.rank == 0 ? options.warn : { _ in })
    planeChooser?.prepare(as: chooser)
  }

  deinit {
    lone?.release()
    core?.deallocate()
  }

  /// Whether the ranks of a node exchange data through shared memory.
  public var sharesMemory: Bool { node != nil }

  /// What this rank has in common with the others of its node, and on several nodes with those of
  /// its lane; nothing where no memory is to be had. Collective.
  private static func join(
    _ members: [Int], _ nodes: NodeMap, over transport: any Transport, _ memory: GroupMemory,
    _ tree: SumTree?, _ options: Options, _ chooser: MethodChooser, _ planeChooser: MethodChooser?
  ) throws -> (NodeGroup?, CrossNode?) {
    let rank = members.firstIndex(of: transport.rank)!
    guard
      let segments = try memory.allocateShared(
        byteCount: NodeBoard.byteCount, otherwise: "ranks exchange messages")
    else { return (nil, nil) }
    let nodeTree = tree.flatMap { nodes.tree(over: $0) }
    let planes = nodeTree.map {
      NodeTerms(
        tree!, members: members, rank: rank, nodes: $0, node: nodes.node(of: transport.rank))
    }
    let node = NodeGroup(
      members: members, rank: rank, segments: segments, planes: planes,
      cacheShare: options.cacheShare)
    guard nodes.nodes.count > 1 else { return (node, nil) }
    // Ranks beyond the last lane own nothing, and exchange nothing.
    let lane = rank < nodes.lanes ? nodes.nodes.map { $0[rank] } : [transport.rank]
    let across = CrossNode(
      lane: SubsetTransport(lane, of: transport), lanes: nodes.lanes,
      tags: ProcessGroup.crossNodeTags, segmentSize: options.segmentSize, tree: nodeTree
    ) { byteCount, type, hasPlanes in
      (hasPlanes ? planeChooser! : chooser)
        .algorithmBetweenNodes(byteCount: byteCount, type: type)
    }
    return (node, across)
  }

  /// Memory for `count` elements, zero, on a boundary of 64 bytes, in memory shared with the node
  /// where there is any: collectives on it, and on parts of it, copy nothing. It lives as long as
  /// the group. Collective; all ranks ask for the same.
  /// - Throws: `CallMismatch`, `RankMissing`, and what `transport` throws.
  public func allocate<Element: Reducible>(
    _ type: Element.Type, count: Int
  ) throws -> UnsafeMutableBufferPointer<Element> {
    precondition(inFlight.isEmpty, "memory is made while no call is under way")
    try meet(CallSignature(.allocate, type, reduction: nil, count: count))
    let byteCount = max(count, 1) * MemoryLayout<Element>.stride
    if let node,
      let segments = try memory.allocateShared(
        byteCount: byteCount, otherwise: "data is copied through a part of it")
    {
      node.add(SharedRegion(segments: segments, byteCount: byteCount))
      let base = segments[node.rank].bindMemory(to: Element.self, capacity: count)
      return UnsafeMutableBufferPointer(start: base, count: count)
    }
    let base = memory.allocatePrivate(byteCount: byteCount)
      .bindMemory(to: Element.self, capacity: count)
    return UnsafeMutableBufferPointer(start: base, count: count)
  }

  /// Waits until all ranks have made this call, before a collective of MPI's own, which would wait
  /// for a missing one for ever.
  private func meet(_ signature: CallSignature) throws {
    guard size > 1 else { return }
    try start(.allgather(.circulant), marks, reduction: nil, signature: signature).wait()
  }
}

// MARK: Operations

extension ProcessGroup {
  /// The planes of a call's buffers: bytes from one to the next.
  struct Planes {
    var stride: Int
  }

  /// How an allreduce is to be run when the caller does not leave it to the group.
  func start<Element: Reducible>(
    allreduce source: UnsafeBufferPointer<Element>,
    into buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element>,
    _ method: AllreduceMethod?, planes: Planes? = nil, looksAtResult: Bool = false
  ) throws -> CollectiveOperation {
    let type = Element.elementType
    let byteCount = buffer.count * type.byteCount
    let chosen = executable(
      method ?? choice(byteCount: byteCount, type: type, planes: planes), byteCount: byteCount,
      type: type, planes: planes)
    let signature = CallSignature(
      planes == nil ? .allreduce : .sumOfPlanes, Element.self, reduction: reduction,
      algorithm: chosen.number, count: buffer.count)
    if case .schedule(let algorithm) = chosen {
      return try start(
        .allreduce(algorithm), from: source, buffer, reduction: reduction, signature: signature,
        planes: planes)
    }
    let operation = begin(signature)
    let run = idleNodeRun(on: node!)
    operation.work = .node(run)
    run.prepare(
      UnsafeRawBufferPointer(source), planeStride: planes?.stride,
      into: UnsafeMutableRawBufferPointer(buffer), reducer(reduction), call: signature.word,
      looksAtResults: looksAtResult && type == .float32)
    try explained {
      if !checksOnBoard { try startCheck(of: operation) }
      try node!.start(run)
      try operation.advance()
    }
    return operation
  }

  /// - Parameter source: the input, where it is not in `buffer` already.
  func start<Element: Reducible>(
    _ algorithm: CollectiveAlgorithm, from source: UnsafeBufferPointer<Element>? = nil,
    _ buffer: UnsafeMutableBufferPointer<Element>, reduction: Reduction<Element>?,
    signature: CallSignature, planes: Planes? = nil
  ) throws -> CollectiveOperation {
    let operation = begin(signature)
    var input = source?.baseAddress
    if input == UnsafePointer(buffer.baseAddress) { input = nil }
    if size == 1, let input, let base = buffer.baseAddress {
      base.update(from: input, count: buffer.count)
    }
    try explained {
      try startCheck(of: operation)
      guard size > 1, let base = buffer.baseAddress, buffer.count > 0 else { return }
      operation.work = .schedules
      // No `map`: its closure would be on the heap.
      var reducer: Reducer?
      if let reduction { reducer = self.reducer(reduction) }
      let parts = Chunks(
        count: buffer.count,
        parts: channels(for: algorithm, byteCount: buffer.count * MemoryLayout<Element>.stride))
      for index in 0..<parts.parts {
        let part = parts[index]
        var partOfInput: UnsafeRawPointer?
        if let input { partOfInput = UnsafeRawPointer(input + part.lowerBound) }
        let key = ScheduleExecutor.Key(
          algorithm: algorithm, count: part.count, type: Element.elementType,
          hasPlanes: planes != nil)
        operation.channels.append(
          try executor.start(
            key, from: partOfInput, UnsafeMutableRawPointer(base + part.lowerBound),
            planeStride: planes?.stride ?? 0, reducer: reducer))
      }
      try operation.advance()
    }
    return operation
  }

  /// Parts of a large allreduce that run side by side: while one waits for a message to be
  /// announced, or between two rounds, the others keep the link busy.
  private func channels(for algorithm: CollectiveAlgorithm, byteCount: Int) -> Int {
    // The chunks of the other collectives mean something to their callers.
    guard case .allreduce = algorithm, nodes.nodes.count > 1 else { return 1 }
    return max(1, min(ProcessGroup.channels, byteCount / ProcessGroup.smallestChannel))
  }

  static let channels = 4
  /// Bytes below which a part is not worth messages of its own.
  private static let smallestChannel = 1024 * 1024

  /// Shared memory is used where there is any, and where sums along nodes follow the canonical tree
  /// if they must.
  private func executable(
    _ method: AllreduceMethod, byteCount: Int, type: ElementType, planes: Planes?
  ) -> AllreduceMethod {
    if case .schedule(let algorithm) = method {
      precondition(planes == nil || algorithm.addsPlanes, "\(method.rawValue) adds no planes")
      return method
    }
    let isPossible =
      planes == nil ? !options.isCanonical || nodes.isCanonical : node?.planes != nil
    guard !sharesMemory || !isPossible else { return method }
    let chooser = planes == nil ? chooser : planeChooser!
    return .schedule(chooser.algorithm(byteCount: byteCount, type: type))
  }

  /// The method that the group chooses itself.
  func choice(byteCount: Int, type: ElementType, planes: Planes?) -> AllreduceMethod {
    // To choose the object first, and then call, would count a reference to it.
    planes == nil
      ? chooser.method(byteCount: byteCount, type: type)
      : planeChooser!.method(byteCount: byteCount, type: type)
  }

  // Put together where it is used: a copy of what has just been written field by field would wait
  // until all of that is in the cache.
  @inline(__always)
  func reducer<Element>(_ reduction: Reduction<Element>) -> Reducer {
    Reducer(reduction, ranks: size, reducerMeans)
  }

  private func begin(_ signature: CallSignature) -> CollectiveOperation {
    let operation = idle.popLast() ?? CollectiveOperation(group: self)
    started += 1
    operation.number = started
    operation.call = signature.word
    operation.work = .nothing
    operation.isComplete = false
    inFlight.append(operation)
    return operation
  }

  private func idleNodeRun(on node: NodeGroup) -> NodeAllreduce {
    idleNodeRuns.popLast() ?? NodeAllreduce(on: node, across: across)
  }

  /// Whether all calls are compared in shared memory, which all ranks have in common.
  var checksOnBoard: Bool { node != nil && across == nil && options.checksCalls }

  private func startCheck(of operation: CollectiveOperation) throws {
    guard options.checksCalls && size > 1 else { return }
    if let node, checksOnBoard {
      let arrival = idleNodeRun(on: node)
      operation.arrival = arrival
      arrival.prepareArrival(call: operation.call)
      try node.start(arrival)
    } else {
      if operation.check == nil { operation.check = CallCheck(over: transport) }
      try operation.check!.start(operation.call)
    }
  }
}
