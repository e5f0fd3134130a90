import Collective
import NN
import TestSupport
import Testing

@testable import Training

/// Every model with every optimizer, on any number of ranks.
@Suite("the same bits on any number of ranks", .serialized)
struct SameBitsTests {
  /// Which ranks share memory, and what adds up their gradients.
  private static let ways: [(ranksPerNode: Int, algorithm: String)] = [
    (8, "auto"), (1, "tree"), (2, "hierarchical"), (1, "direct"), (1, "auto"), (3, "auto"),
  ]

  @Test(
    "each model ends with one hash for each optimizer", arguments: SameBits.models,
    SameBits.optimizers)
  func oneHash(model: SameBits.Model, optimizer: String) throws {
    let folder = try TemporaryDirectory()
    let yaml = try model.configuration(optimizer: optimizer, in: folder)
    // Another way at each step through the table.
    let place = SameBits.optimizers.firstIndex(of: optimizer)!
    let hashes = try SameBits.ranks.enumerated().map { number, ranks in
      try hash(yaml, ranks: ranks, way: Self.ways[(place + number) % Self.ways.count])
    }
    #expect(Set(hashes).count == 1, "\(zip(SameBits.ranks, hashes).map { "\($0)" })")
  }

  @Test("every way to add up gradients gives one hash", arguments: [2, 3, 5, 6, 7, 8])
  func everyWay(ranks: Int) throws {
    let folder = try TemporaryDirectory()
    for model in SameBits.models where ["perceptron", "batch-norm"].contains(model.description) {
      let yaml = try model.configuration(optimizer: SameBits.optimizers[0], in: folder)
      let alone = try hash(yaml, ranks: 1, way: Self.ways[0])
      for way in Self.ways {
        for bucketBytes in [4, 1 << 20] {
          #expect(
            try hash(yaml, ranks: ranks, way: way, ["collective.bucket-bytes=\(bucketBytes)"])
              == alone, "\(model), \(way), buckets of \(bucketBytes)")
        }
      }
    }
  }

  @Test("without a tree other numbers of ranks give other bits: the comparison can fail")
  func otherBits() throws {
    let folder = try TemporaryDirectory()
    let yaml = try SameBits.models[1].configuration(optimizer: SameBits.optimizers[0], in: folder)
    let hashes = try [1, 2, 3].map {
      try hash(yaml, ranks: $0, way: Self.ways[0], ["training.reproducible=false"])
    }
    #expect(Set(hashes).count == 3)
  }

  @Test("every layer, optimizer and data format is in the table")
  func complete() throws {
    let layers = SameBits.models.map(\.layers).joined()
    for name in LayerSpecification.names { #expect(layers.contains(name), "\(name)") }
    #expect(
      OptimizerSpecification.kinds.map { "{name: \($0.name)," }
        == SameBits.optimizers.map { String($0.prefix { $0 != "," }) + "," })
    let folder = try TemporaryDirectory()
    let data = try SameBits.models.map { try $0.configuration(optimizer: "{}", in: folder) }
      .joined()
    for format in DataConfiguration.Format.allCases {
      #expect(data.contains("format: \(format.rawValue),"))
    }
  }

  /// Of parameters and state, which all ranks must have alike.
  private func hash(
    _ yaml: String, ranks: Int, way: (ranksPerNode: Int, algorithm: String),
    _ settings: [String] = []
  ) throws -> String {
    let settings = ["collective.algorithm=\(way.algorithm)", "collective.tuning=rules"] + settings
    let nodes = NodeMap(keys: (0..<ranks).map { $0 / way.ranksPerNode })
    let hashes = try LoopbackTransport.run(ranks: ranks, nodes: nodes) { transport -> String in
      let world = try World(transport, host: "test", carrier: "loopback")
      let configuration = try TrainingConfiguration(
        yaml: yaml, name: "test.yaml", settings: settings)
      let trainer = try Trainer(
        TrainingPlan(configuration, world: world, environment: [:]), world: world)
      try trainer.run(RunSurroundings())
      return ParameterHash([trainer.network.parameters, trainer.network.state]).hexadecimal
    }
    #expect(Set(hashes).count == 1, "\(ranks) ranks differ")
    return hashes[0]
  }
}
