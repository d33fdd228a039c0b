"""What the lab, the demo and the integration tests share. The standard library is enough for the
lab and the demo; the tests of single packets also use scapy."""
