namespace Cluster.Gateway.Rest;

/// <summary>A number in JSON's grammar: digits times a power of ten.</summary>
/// <param name="Digits">Without the point; at most 19 of them count.</param>
/// <param name="Exponent">Of ten, -22 to 22.</param>
/// <param name="IsInteger">Whether it was written without point and exponent.</param>
internal readonly record struct DecimalNumber(ulong Digits, int Exponent, bool IsNegative, bool IsInteger);
