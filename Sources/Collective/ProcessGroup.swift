import Foundation
import Kernels
import MPI

/// The ranks of a job and everything that they need for collectives: messages, memory that the
/// ranks of a node share, and the calls that are under way.
///
/// All ranks make the same calls in the same order; several may be under way at once. A call's
/// memory is made when its size first occurs, and kept. One instance is used by one thread.
public final class ProcessGroup {
  public struct Options {
    /// Ranks of a node exchange data through shared memory, and nodes piece by piece; else all
    /// ranks exchange messages.
    public var usesSharedMemory = true
    /// Sums are added up along the canonical tree, so that their bits do not depend on the
    /// algorithm, nor on the number of ranks where that is a power of two. Else the fastest order
    /// is taken.
    public var isCanonical = true
    /// What to go by when an allreduce leaves the method to the group.
    public var choice = MethodChoice.rules
    /// Calls of different counts, types, operations or order are found and named.
    public var checksCalls = true
    /// Seconds without any progress after which a call is given up; nil to wait for ever.
    public var timeLimit: Double? = 600
    /// Bytes, as accumulators, of the segments in which messages travel; alike on all ranks.
    var segmentSize = ScheduleRun.segmentSize
    /// Is told what a user should know: a line, without a newline.
    public var warn: (String) -> Void = { line in
      try? FileHandle.standardError.write(contentsOf: Data("warning: \(line)\n".utf8))
    }

    /// Is told, on rank 0, what the group has chosen: a line for each size class, at its first
    /// allreduce.
    public var log: ((String) -> Void)?

    public init() {}
  }

  public let transport: any Transport
  public let options: Options
  /// Which ranks share memory.
  public let nodes: NodeMap
  let kernels: KernelSet
  let scratch = ReductionScratch()

  private let executor: ScheduleExecutor
  private var node: NodeGroup?
  private var across: CrossNode?
  private let chooser: MethodChooser
  private let spins: Int

  private var inFlight: [CollectiveOperation] = []
  private var idle: [CollectiveOperation] = []
  private var idleChecks: [CallCheck] = []
  private var idleArrivals: [NodeAllreduce] = []
  private var idleNodeRuns: [NodeRunKey: [NodeAllreduce]] = [:]
  private lazy var rollCall = RollCall(over: transport)
  private var started = 0
  private var hasWarned = false

  private struct NodeRunKey: Hashable {
    var count: Int
    var type: ElementType
  }

  private static let hierarchicalNumber = AllreduceMethod.hierarchical.number

  // MPI guarantees tags up to 32767.
  private static let messageTags = 0..<16_000
  private static let crossNodeTags = 16_000..<32_000

  /// The ranks of `communicator`. Collective.
  public convenience init(_ communicator: Communicator, options: Options = Options()) throws {
    try self.init(MPITransport(communicator), options: options)
  }

  /// The ranks that `transport` joins. Collective. A transport serves one group at a time.
  /// - Parameter kernels: those of the best instruction set that this CPU has, if not given.
  public init(
    _ transport: any Transport, options: Options = Options(), kernels: KernelSet? = nil
  ) throws {
    self.transport = transport
    self.options = options
    self.kernels = kernels ?? KernelSet(InstructionSet.supported.last!)
    nodes = try transport.nodeMap()
    chooser = MethodChooser(
      nodes: nodes, isCanonical: options.isCanonical,
      log: transport.rank == 0 ? options.log : nil)
    executor = ScheduleExecutor(
      over: transport, tags: ProcessGroup.messageTags, segmentSize: options.segmentSize)
    let members = nodes.nodes[nodes.node(of: transport.rank)]
    spins =
      members.count <= ProcessInfo.processInfo.activeProcessorCount ? Backoff.shortSpin : 0
    if options.usesSharedMemory, nodes.size > 1 {
      try joinNode(members)
    }
    try chooser.prepare(
      options.choice, over: transport, kernels: self.kernels, sharesMemory: sharesMemory,
      warn: transport.rank == 0 ? options.warn : { _ in })
  }

  public var rank: Int { transport.rank }
  public var size: Int { transport.size }
  /// Whether the ranks of a node exchange data through shared memory.
  public var sharesMemory: Bool { node != nil }

  private func joinNode(_ members: [Int]) throws {
    let rank = members.firstIndex(of: transport.rank)!
    guard
      let segments = try allocateShared(
        byteCount: NodeBoard.byteCount, otherwise: "ranks exchange messages")
    else { return }
    node = NodeGroup(members: members, rank: rank, segments: segments)
    guard nodes.nodes.count > 1 else { return }
    // Ranks beyond the last lane own nothing, and exchange nothing.
    let lane = rank < nodes.lanes ? nodes.nodes.map { $0[rank] } : [transport.rank]
    across = CrossNode(
      lane: SubsetTransport(lane, of: transport), lanes: nodes.lanes,
      tags: ProcessGroup.crossNodeTags, segmentSize: options.segmentSize,
      algorithm: chooser.algorithmBetweenNodes)
  }

  /// Shared memory, or nil - on all ranks alike, with a warning - where there is none to be had.
  /// - Parameter otherwise: what is done instead, for the warning.
  private func allocateShared(
    byteCount: Int, otherwise: String
  ) throws -> [UnsafeMutableRawPointer]? {
    let result = Result { try transport.allocateShared(byteCount: byteCount) }
    var report: [UInt8] = []
    if case .failure(let error) = result { report = Array("\(error)".utf8) }
    let reports = try transport.allgather(report)
    guard let failed = reports.firstIndex(where: { !$0.isEmpty }) else { return try result.get() }
    if rank == 0 && !hasWarned {
      hasWarned = true
      options.warn(
        "no shared memory of \(byteCount) bytes for each rank on the node of rank \(failed) "
          + "(\(String(decoding: reports[failed], as: UTF8.self))): \(otherwise) instead, which is slower; "
          + "give /dev/shm more room")
    }
    return nil
  }

  /// Memory for `count` elements, zero, on a boundary of 64 bytes, in memory shared with the node
  /// where there is any: collectives on it, and on parts of it, copy nothing. It lives as long as
  /// the group. Collective; all ranks ask for the same.
  public func allocate<Element: Reducible>(
    _ type: Element.Type, count: Int
  ) throws -> UnsafeMutableBufferPointer<Element> {
    precondition(inFlight.isEmpty, "memory is made while no call is under way")
    let byteCount = max(count, 1) * MemoryLayout<Element>.stride
    if let node,
      let segments = try allocateShared(
        byteCount: byteCount, otherwise: "data is copied through a part of it")
    {
      node.add(SharedRegion(segments: segments, byteCount: byteCount))
      let base = segments[node.rank].bindMemory(to: Element.self, capacity: count)
      return UnsafeMutableBufferPointer(start: base, count: count)
    }
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: byteCount, alignment: AlignedBuffer.alignment)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
    privateMemory.append(memory)
    return UnsafeMutableBufferPointer(
      start: memory.bindMemory(to: Element.self, capacity: count), count: count)
  }

  private var privateMemory: [UnsafeMutableRawPointer] = []

  deinit { for memory in privateMemory { memory.deallocate() } }
}

// MARK: Operations

extension ProcessGroup {
  /// How an allreduce is to be run when the caller does not leave it to the group.
  func start<Element: Reducible>(
    allreduce source: UnsafeBufferPointer<Element>,
    into buffer: UnsafeMutableBufferPointer<Element>, _ reduction: Reduction<Element>,
    _ method: AllreduceMethod?
  ) throws -> CollectiveOperation {
    let type = Element.elementType
    let byteCount = buffer.count * type.byteCount
    let chosen = executable(
      method ?? chooser.method(byteCount: byteCount, type: type), byteCount: byteCount, type: type)
    let signature = CallSignature(
      .allreduce, Element.self, reduction: reduction, algorithm: chosen.number,
      count: buffer.count)
    if case .schedule(let algorithm) = chosen {
      fill(buffer, from: source)
      return try start(
        .allreduce(algorithm), buffer, reduction: reduction, signature: signature)
    }
    let node = node!
    let key = NodeRunKey(count: buffer.count, type: type)
    let run =
      idleNodeRuns[key]?.popLast()
      ?? NodeAllreduce(node: node, count: buffer.count, type: type, across: across)
    let operation = begin(signature)
    operation.work = .node(run)
    run.prepare(
      UnsafeRawBufferPointer(source), into: UnsafeMutableRawBufferPointer(buffer),
      reducer: reducer(reduction), call: signature.word)
    try explained {
      if !checksOnBoard { try startCheck(of: operation) }
      try node.start(run)
      try operation.advance()
    }
    return operation
  }

  /// Runs an allreduce of few bytes on the spot, if that is what it is; false if it is to be
  /// started.
  func runSmall<Element: Reducible>(
    _ source: UnsafeBufferPointer<Element>, into target: UnsafeMutableBufferPointer<Element>,
    _ reduction: Reduction<Element>,
    _ method: AllreduceMethod?
  ) throws -> Bool {
    let byteCount = target.count * MemoryLayout<Element>.stride
    guard let node, across == nil, inFlight.isEmpty, byteCount <= node.smallSize,
      (method ?? chooser.method(byteCount: byteCount, type: Element.elementType)) == .hierarchical
    else { return false }
    let call = CallSignature(
      .allreduce, Element.self, reduction: reduction, algorithm: Self.hierarchicalNumber,
      count: target.count
    ).word
    var backoff = Backoff(spins: spins)
    var watch: StallWatch?
    try node.allreduceSmall(
      UnsafeRawBufferPointer(source), into: UnsafeMutableRawBufferPointer(target),
      reducer(reduction), call: call
    ) { number in
      guard backoff.pause() else { return }
      try transport.checkAllAreThere()
      if watch == nil { watch = StallWatch(limit: options.timeLimit) }
      guard watch!.phase() == .over else { return }
      throw RankMissing(
        absentees: node.absentees(number), rank: rank, call: "\(CallSignature(word: call))",
        seconds: watch!.elapsed)
    }
    started += 1
    return true
  }

  func start<Element: Reducible>(
    _ algorithm: CollectiveAlgorithm, _ buffer: UnsafeMutableBufferPointer<Element>,
    reduction: Reduction<Element>?, signature: CallSignature
  ) throws -> CollectiveOperation {
    let operation = begin(signature)
    try explained {
      try startCheck(of: operation)
      guard size > 1, let base = buffer.baseAddress, buffer.count > 0 else { return }
      operation.work = .schedules
      let reducer = reduction.map(reducer)
      let parts = Chunks(
        count: buffer.count,
        parts: channels(for: algorithm, byteCount: buffer.count * MemoryLayout<Element>.stride))
      for index in 0..<parts.parts {
        let part = parts[index]
        let key = ScheduleExecutor.Key(
          algorithm: algorithm, count: part.count, type: Element.elementType)
        operation.channels.append(
          (
            try executor.start(
              key, UnsafeMutableRawPointer(base + part.lowerBound), reducer: reducer), key
          ))
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

  private func fill<Element>(
    _ target: UnsafeMutableBufferPointer<Element>, from source: UnsafeBufferPointer<Element>
  ) {
    guard let base = target.baseAddress, let input = source.baseAddress,
      input != UnsafePointer(base)
    else { return }
    base.update(from: input, count: source.count)
  }

  /// Shared memory is used where there is any, and where sums along nodes follow the canonical tree
  /// if they must.
  private func executable(
    _ method: AllreduceMethod, byteCount: Int, type: ElementType
  ) -> AllreduceMethod {
    guard method == .hierarchical, !sharesMemory || options.isCanonical && !nodes.isCanonical else {
      return method
    }
    return .schedule(chooser.algorithm(byteCount: byteCount, type: type))
  }

  private func reducer<Element>(_ reduction: Reduction<Element>) -> Reducer {
    Reducer(reduction, ranks: size, kernels: kernels, scratch: scratch)
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

  /// Whether all calls are compared in shared memory, which all ranks have in common.
  private var checksOnBoard: Bool { node != nil && across == nil && options.checksCalls }

  private func startCheck(of operation: CollectiveOperation) throws {
    guard options.checksCalls && size > 1 else { return }
    if let node, checksOnBoard {
      let arrival = idleArrivals.popLast() ?? NodeAllreduce(arrivalOn: node)
      operation.arrival = arrival
      arrival.prepare(
        UnsafeRawBufferPointer(start: nil, count: 0),
        into: UnsafeMutableRawBufferPointer(start: nil, count: 0), reducer: nil,
        call: operation.call)
      try node.start(arrival)
    } else {
      let check = idleChecks.popLast() ?? CallCheck(over: transport)
      operation.check = check
      try check.start(operation.call)
    }
  }

  /// Moves all operations under way as far as they go without waiting.
  func progress() throws {
    try explained {
      try node?.progress()
      for operation in inFlight where !operation.isComplete { try operation.advance() }
    }
  }

  /// Differs whenever a call under way has moved.
  private var progressMark: Int {
    inFlight.reduce(across?.progressMark ?? 0) { $0 &+ $1.progressMark }
  }

  func wait(for operation: CollectiveOperation) throws {
    var backoff = Backoff(spins: spins)
    var watch: StallWatch?
    while true {
      try progress()
      if operation.isComplete { break }
      guard backoff.pause() else { continue }
      try transport.checkAllAreThere()
      if watch == nil { watch = StallWatch(limit: options.timeLimit) }
      try look(at: &watch!, operation)
    }
    retire(operation)
  }

  private func retire(_ operation: CollectiveOperation) {
    switch operation.work {
    case .nothing: break
    case .schedules:
      for channel in operation.channels { executor.retire(channel.run, channel.key) }
      operation.channels.removeAll(keepingCapacity: true)
    case .node(let run):
      idleNodeRuns[NodeRunKey(count: run.count, type: run.type), default: []].append(run)
    }
    if let check = operation.check { idleChecks.append(check) }
    if let arrival = operation.arrival { idleArrivals.append(arrival) }
    operation.check = nil
    operation.arrival = nil
    operation.work = .nothing
    operation.number = 0
    inFlight.removeAll { $0 === operation }
    idle.append(operation)
  }

  /// A message of another length than expected is a consequence of different calls, if calls
  /// differ: the board may tell, or this rank's neighbour, or another rank, which then ends the job
  /// with a better reason.
  private func explained<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error where !(error is CallMismatch || error is RankLeft) {
      throw explanation(of: error)
    }
  }

  private func explanation(of error: any Error) -> any Error {
    var watch = StallWatch(limit: 1)
    do {
      var checks = inFlight.compactMap(\.check)
      while watch.phase() != .over {
        // What has failed is not asked again: on one node no message is part of the board's calls.
        if across == nil { try node?.progress() }
        checks = try checks.filter { try !$0.progress() }
        usleep(1000)
      }
    } catch let mismatch as CallMismatch {
      return mismatch
    } catch {}
    return error
  }

  private func look(at watch: inout StallWatch, _ operation: CollectiveOperation) throws {
    // On one node the board knows.
    let board = checksOnBoard ? node : nil
    let mark = progressMark
    if mark != watch.mark { watch.restart(mark: mark) }
    switch watch.phase() {
    case .none: break
    // To whoever waits for any of these calls.
    case .report: if board == nil { try rollCall.report(started) }
    case .listen: if board == nil { try rollCall.listen() }
    case .over:
      throw RankMissing(
        absentees: try board?.absentees ?? rollCall.absentees(operation.number), rank: rank,
        call: "\(CallSignature(word: operation.call))", seconds: watch.elapsed)
    }
  }
}
