import ArgumentParser
import Collective
import Experiments
import Foundation
import Training

/// `lockstep simulate`: what an allreduce would cost on a cluster that is not at hand.
struct Simulate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predicts the time of an allreduce on any cluster, without starting a rank.",
    discussion: """
      Walks the schedules that training would run through a model of the cluster: a message takes \
      alpha + bytes / bandwidth, the ranks of a node share its link to the other nodes, and what \
      has been received is reduced. shared-window+NAME adds up within each node in shared memory \
      and runs NAME between nodes; it needs nodes of equally many ranks. algbw is bytes / time, \
      and busbw 2(p-1)/p of it, as nccl-tests defines them.

      Example:  lockstep simulate --ranks 4096 --bytes 100M --ranks-per-node 64
      """)

  @Option(
    help: ArgumentHelp("Numbers of ranks, up to 16384. (default: 64)", valueName: "n,n,..."),
    transform: { text in
      try Quantity.list(text) { part in
        guard let ranks = Int(part), (1...16384).contains(ranks) else {
          throw ValidationError("'\(part)' is not a number of ranks from 1 to 16384")
        }
        return ranks
      }
    })
  var ranks: [Int] = [64]

  @Option(
    help: ArgumentHelp(
      "Sizes of the buffer of 32-bit floats; K, M and G are powers of 1024. (default: 100M)",
      valueName: "size,size,..."),
    transform: { text in
      try Quantity.list(text) { part in
        let bytes = try Quantity.bytes(part)
        guard bytes > 0, bytes.isMultiple(of: MemoryLayout<Float>.size) else {
          throw ValidationError("'\(part)' is not a multiple of 4 bytes")
        }
        return bytes
      }
    })
  var bytes: [Int] = [100 << 20]

  @Option(
    help: ArgumentHelp(
      "all, or "
        + AllreduceAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
        + ". (default: all)",
      valueName: "name"),
    transform: { text in
      if text == "all" { return AllreduceAlgorithm.allCases }
      guard let algorithm = AllreduceAlgorithm(rawValue: text) else {
        let names = AllreduceAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")
        throw ValidationError("the algorithms are all, \(names)")
      }
      return [algorithm]
    })
  var algorithm = AllreduceAlgorithm.allCases

  @Option(
    help: ArgumentHelp("Time of an empty message between nodes. (default: 2us)", valueName: "time"),
    transform: { try Quantity.seconds($0) })
  var alpha = 2e-6

  @Option(
    help: ArgumentHelp(
      "Of a node's link, in each direction: B/s to GB/s, Mbit/s or Gbit/s. (default: 12.5GB/s)",
      valueName: "rate"),
    transform: { try Quantity.bytesPerSecond($0) })
  var bandwidth = 12.5e9

  @Option(
    help: ArgumentHelp(
      "Time of an empty message within a node. (default: 500ns)", valueName: "time"),
    transform: { try Quantity.seconds($0) })
  var intraAlpha = 500e-9

  @Option(
    help: ArgumentHelp(
      "Of a rank within its node, all ranks at work. (default: 10GB/s)", valueName: "rate"),
    transform: { try Quantity.bytesPerSecond($0) })
  var intraBandwidth = 10e9

  @Option(
    help: ArgumentHelp(
      "Received bytes that a rank adds up in a second. (default: 10GB/s)", valueName: "rate"),
    transform: { try Quantity.bytesPerSecond($0) })
  var reduceBandwidth: Double?

  @Option(
    help: ArgumentHelp("The same as time per byte, such as 0.1ns.", valueName: "time"),
    transform: { try Quantity.seconds($0) })
  var gamma: Double?

  @Option(help: ArgumentHelp("Ranks that share a node and its link.", valueName: "n"))
  var ranksPerNode = 1

  @Option(
    help: "node: a node is filled before the next; round-robin: ranks are dealt out over nodes.")
  var placement: CostModel.Placement = .node

  @Option(
    help: ArgumentHelp(
      "Reduce segments of this size while the next ones arrive. (default: \(CostModel.executorSegmentBytes >> 20)M)",
      valueName: "size"),
    transform: { try Quantity.bytes($0) })
  var segment: Int?

  @Flag(help: "JSON on standard output, in bytes and seconds.")
  var json = false

  func validate() throws {
    guard ranksPerNode > 0 else { throw ValidationError("--ranks-per-node: at least one") }
    guard segment != 0 else { throw ValidationError("--segment: at least one byte") }
    guard gamma == nil || reduceBandwidth == nil else {
      throw ValidationError("--gamma and --reduce-bandwidth say the same: give one of them")
    }
  }

  func run() throws {
    let model = CostModel(
      withinNode: LinkModel(alpha: intraAlpha, bandwidth: intraBandwidth),
      betweenNodes: LinkModel(alpha: alpha, bandwidth: bandwidth),
      reduction: CostCurve(secondsPerByte: gamma ?? 1 / (reduceBandwidth ?? 10e9)),
      windowCopy: CostCurve(secondsPerByte: 1 / intraBandwidth), synchronization: intraAlpha,
      ranksPerNode: ranksPerNode, placement: placement,
      segmentBytes: segment ?? CostModel.executorSegmentBytes)
    let predictions = ranks.flatMap { ranks in
      bytes.flatMap { bytes in
        AllreducePlan.candidates(algorithm, size: ranks, on: model)
          .map { Prediction($0, ranks: ranks, bytes: bytes, on: model) }
          .sorted { $0.seconds < $1.seconds }
      }
    }
    if json {
      say(
        String(decoding: try JSONEncoder.lockstep(pretty: true).encode(predictions), as: UTF8.self))
    } else {
      say(
        TextTable(
          columns: Prediction.columns, rows: predictions.map(\.cells), leading: [2]
        ).text.trimmingCharacters(in: .newlines))
    }
  }
}

/// One line of the answer.
private struct Prediction: Encodable {
  var ranks: Int
  var bytes: Int
  var algorithm: String
  var seconds: Double
  /// Bytes per second; nil where no time passes.
  var algbw: Double?
  var busbw: Double?
  var rounds: Int
  var messages: Int
  var bytesPerRank: Int
  var bytesPerNodeLink: Int
  var canonical: Bool

  init(_ plan: AllreducePlan, ranks: Int, bytes: Int, on model: CostModel) {
    let width = MemoryLayout<Float>.size
    let price = plan.price(
      size: ranks, count: bytes / width, on: model, width: ElementWidth(bytes: width))
    self.ranks = ranks
    self.bytes = bytes
    algorithm = plan.description
    seconds = price.seconds
    algbw = seconds > 0 ? Double(bytes) / seconds : nil
    busbw = algbw.map { $0 * 2 * Double(ranks - 1) / Double(ranks) }
    rounds = price.rounds
    messages = price.messages
    bytesPerRank = price.bytesSent
    bytesPerNodeLink = price.bytesPerNodeLink
    canonical = plan.isCanonical(size: ranks, on: model)
  }

  static let columns = [
    "ranks", "bytes", "algorithm", "time", "algbw GB/s", "busbw GB/s", "rounds", "bytes/rank",
    "bytes/link", "order",
  ]

  var cells: [String] {
    let bandwidths = [algbw, busbw].map { $0.map { String(format: "%.3f", $0 / 1e9) } ?? "-" }
    return ["\(ranks)", "\(bytes)", algorithm, Quantity.text(seconds: seconds)] + bandwidths
      + ["\(rounds)", "\(bytesPerRank)", "\(bytesPerNodeLink)", canonical ? "canonical" : "-"]
  }
}

extension CostModel.Placement: ExpressibleByArgument {}
