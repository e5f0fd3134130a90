/// An optimizer as a user asks for it, before there are parameters.
public struct OptimizerSpecification: Equatable, Sendable {
  /// Every kind of optimizer, in the order in which messages name them.
  public static let kinds: [any Optimizer.Type] = [
    SGD.self, Adam.self, AdamW.self, AdaGrad.self, RMSprop.self, LARS.self, LAMB.self,
  ]

  /// The kind of that name.
  public static func kind(_ name: String) -> (any Optimizer.Type)? {
    kinds.first { $0.name == name }
  }

  /// One of the names of `kinds`.
  public let name: String
  public var values: SettingValues

  /// A kind with its defaults.
  public init(_ kind: any Optimizer.Type) {
    name = kind.name
    values = SettingValues(kind.settings)
  }

  public func optimizer(layout: SlabLayout) -> any Optimizer {
    OptimizerSpecification.kind(name)!.init(layout: layout, values)
  }

  /// Numbers that the optimizer remembers for each parameter.
  public var stateCount: Int { optimizer(layout: SlabLayout()).states.count }
}
