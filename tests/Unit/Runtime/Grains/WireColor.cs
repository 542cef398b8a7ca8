namespace Cluster.Unit.Runtime.Grains;

public enum WireColor : short
{
    Red = 0,
    Green = -7,
    Blue = 300,
}
