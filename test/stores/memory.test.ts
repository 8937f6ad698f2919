import { memoryStore } from 'postern';
import { testStore } from 'postern/testing';

testStore('memoryStore', memoryStore);
