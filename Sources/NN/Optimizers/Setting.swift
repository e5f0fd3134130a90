/// Something that an optimizer can be told: a number in a range, or a switch.
public struct Setting: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case number(default: Double, in: ClosedRange<Double>)
    case flag(default: Bool)
  }

  /// As configurations have it.
  public var name: String
  public var kind: Kind

  static func number(
    _ name: String, default fallback: Double, in range: ClosedRange<Double>
  ) -> Setting {
    Setting(name: name, kind: .number(default: fallback, in: range))
  }

  static func flag(_ name: String, default fallback: Bool) -> Setting {
    Setting(name: name, kind: .flag(default: fallback))
  }

  // What several optimizers have in common.

  static func momentum(default fallback: Double) -> Setting {
    number("momentum", default: fallback, in: 0...1)
  }

  static func weightDecay(default fallback: Double) -> Setting {
    number("weight-decay", default: fallback, in: 0...1e6)
  }

  /// Never 0: it keeps 0 / 0 away from parameters whose gradients have all been zero.
  static func epsilon(default fallback: Double) -> Setting {
    number("epsilon", default: fallback, in: 1e-30...1)
  }
}

/// A value for each of an optimizer's settings.
public struct SettingValues: Equatable, Sendable {
  private var numbers: [String: Double] = [:]
  private var flags: [String: Bool] = [:]

  /// The defaults.
  public init(_ settings: [Setting]) {
    for setting in settings {
      switch setting.kind {
      case .number(let fallback, _): numbers[setting.name] = fallback
      case .flag(let fallback): flags[setting.name] = fallback
      }
    }
  }

  /// - Precondition: there is such a number.
  public subscript(number name: String) -> Double {
    get { numbers[name]! }
    set {
      precondition(numbers[name] != nil, "no number is called \(name)")
      numbers[name] = newValue
    }
  }

  /// - Precondition: there is such a switch.
  public subscript(flag name: String) -> Bool {
    get { flags[name]! }
    set {
      precondition(flags[name] != nil, "no switch is called \(name)")
      flags[name] = newValue
    }
  }
}
