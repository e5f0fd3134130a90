import Collective
import Kernels
import MPI

/// Times this package's allreduce beside `MPI_Allreduce`, in one run.
public struct AllreduceBenchmark {
  private let options: AllreduceOptions
  private let world: Communicator
  /// On rank 0.
  private let output: BenchmarkOutput?
  private let machine: BenchmarkMachine
  private let own: LockstepAllreduce
  /// Where the order of summation decides how nodes are joined: for a table.
  private let ownInAnyOrder: LockstepAllreduce?
  /// To find out what the comparison of calls costs.
  private let ownUnchecked: LockstepAllreduce?
  private let mpi: MPICandidates
  private let predictor: AllreducePredictor?
  private let memory: BenchmarkMemory

  /// Collective.
  /// - Precondition: `options.faults` is empty.
  /// - Throws: `UnusableInstructionSet`; `MPIError`; what `output` throws.
  public init(
    _ options: AllreduceOptions, world: Communicator, program: BenchmarkProgram,
    output: BenchmarkOutput
  ) throws {
    precondition(options.faults.isEmpty)
    self.options = options
    self.world = world
    self.output = world.rank == 0 ? output : nil
    machine = try BenchmarkMachine(world)
    let rankOutput = self.output
    own = try LockstepAllreduce(
      world, options.transport, environment: program.environment,
      log: { rankOutput?.line("# \($0)") })
    ownInAnyOrder =
      options.tunes && own.sharesMemory && own.nodes.nodes.count > 1
      ? try LockstepAllreduce(
        world, options.transport, environment: program.environment, canonical: false) : nil
    ownUnchecked =
      options.skipsChecks
      ? try LockstepAllreduce(
        world, options.transport, environment: program.environment, checksCalls: false) : nil
    mpi = try MPICandidates(world, options.rivals)
    memory = try BenchmarkMemory(
      largest: max(
        options.sizes.maximum, options.predicts ? AllreducePredictor.leastMemory : 0),
      covering: options.buffers == .rotating ? 2 * machine.lastLevelCache : 0,
      allocateWindow: own.allocateWindow(byteCount:))
    predictor = try options.predicts ? AllreduceBenchmark.predictor(world, own) : nil
    try writeHeader(program)
  }

  private static func predictor(
    _ world: Communicator, _ own: LockstepAllreduce
  ) throws -> AllreducePredictor {
    let call = own.candidates([.schedule(.recursiveDoubling)], .sum, of: Float.self)[0].inPlace!
    let buffer = AlignedBuffer(count: 1)
    return try AllreducePredictor(
      world, nodes: own.nodes, kernels: own.kernels
    ) { try call(UnsafeMutableRawPointer(buffer.base), 0) }
  }

  private func writeHeader(_ program: BenchmarkProgram) throws {
    guard let output else { return }
    let header = HeaderRecord(
      version: program.version, commit: program.commit, cpu: machine.cpu, cpus: machine.cpus,
      lastLevelCacheBytes: machine.lastLevelCache, kernels: own.kernels.rawValue,
      ranks: world.size, hosts: machine.hosts, binding: machine.binding,
      mpi: Session.libraryVersion, transport: options.transport.rawValue,
      buffers: options.buffers.rawValue, command: program.command)
    header.lines.forEach(output.line)
    try output.record(header)
  }

  /// What a run has found; the same on all ranks.
  public struct Outcome {
    /// Wrong elements in all results.
    public var wrong: Int
    /// The fastest methods, if they were asked for.
    public var table: TuningTable?
  }

  /// Measures everything. Collective.
  public func run() throws -> Outcome {
    AllreduceTable.heading(predicts: predictor != nil).forEach { output?.line($0) }
    var results: [[ResultRecord]] = []
    for type in options.types {
      for reduction in options.reductions {
        results += try measure(type, reduction)
      }
    }
    let comparisons = results.flatMap(ComparisonRecord.all)
    if !comparisons.isEmpty {
      output?.line("#")
      AllreduceTable.comparisonHeading.forEach { output?.line($0) }
    }
    for comparison in comparisons {
      output?.line(AllreduceTable.line(comparison))
      try output?.record(comparison)
    }
    if predictor != nil {
      let predictions = PredictionRecord(results.joined())
      output?.line(predictions.line)
      try output?.record(predictions)
    }
    return Outcome(
      wrong: results.joined().reduce(0) { $0 + $1.outOfPlace.wrong + ($1.inPlace?.wrong ?? 0) },
      table: options.tunes
        ? TuningTable(of: results, conditions: conditions, nodes: own.nodes) : nil)
  }

  private var conditions: TuningTable.Conditions {
    .init(
      ranks: world.size, ranksPerNode: own.nodes.nodes.map(\.count),
      sharesMemory: own.sharesMemory, mpi: Session.libraryVersion, kernels: own.kernels.rawValue,
      elementWidth: options.types[0].byteCount)
  }

  private func measure(
    _ type: ElementType, _ reduction: ReductionChoice
  ) throws -> [[ResultRecord]] {
    switch type {
    case .float32: try measure(reduction, mpi.candidates(reduction, of: Float.self), of: Float.self)
    case .float64:
      try measure(reduction, mpi.candidates(reduction, of: Double.self), of: Double.self)
    case .float16: try measure(reduction, [], of: Float16.self)
    case .bfloat16: try measure(reduction, [], of: BFloat16.self)
    case .int32: try measure(reduction, mpi.candidates(reduction, of: Int32.self), of: Int32.self)
    case .int64: try measure(reduction, mpi.candidates(reduction, of: Int64.self), of: Int64.self)
    }
  }

  /// - Returns: a list for each size.
  private func measure<Element: BenchmarkElement>(
    _ reduction: ReductionChoice, _ rivals: [Candidate], of element: Element.Type
  ) throws -> [[ResultRecord]] {
    let type = element.elementType
    /// Those of another group, whose window the buffers are not in.
    func others(
      _ group: LockstepAllreduce?, _ methods: [AllreduceMethod?], _ ending: String
    ) -> [Candidate] {
      (group?.candidates(methods, reduction, of: element) ?? []).filter { !$0.usesWindow }
        .map { $0.renamed($0.name + ending) }
    }
    let candidates =
      own.candidates([nil] + options.methods, reduction, of: element)
      + others(ownInAnyOrder, [.hierarchical], LockstepAllreduce.anyOrder)
      // Of measured links each group makes a choice of its own: named methods are compared alike.
      + others(
        ownUnchecked, options.methods.isEmpty ? [nil] : options.methods,
        LockstepAllreduce.unchecked) + rivals
      + [.memcpy(elementSize: type.byteCount)]
    let sizes = options.sizes.sizes(stride: type.byteCount)
    let pattern = TestPattern<Element>(
      reduction, ranks: world.size,
      period: min(TestPattern<Element>.longestPeriod, sizes.last! / type.byteCount))
    let timer = AllreduceTimer(
      candidates, pattern, world: world, memory: memory, budget: options.budget)
    return try sizes.map { size in
      let count = size / type.byteCount
      var predictor = predictor
      try predictor?.measure(
        memory.firstTarget(byteCount: max(size, AllreducePredictor.leastMemory)))
      return try timer.measure(count: count).map {
        var record = ResultRecord(
          $0, count: count, type: type, reduction: reduction, ranks: world.size)
        if $0.kind == .lockstep, let predictor, let method = record.method {
          record.setPrediction(predictor.microseconds(method, count: count, type: type))
        }
        output?.line(AllreduceTable.line(record))
        try output?.record(record)
        return record
      }
    }
  }
}
